"""What tests of several kinds stand on."""

from collections.abc import Iterator

import pytest

from tests.harness.broker import MISSING as NO_BROKER
from tests.harness.broker import Broker, program
from tests.harness.postgres import MISSING, Postgres, programs


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL that runs; who stops it starts it again."""
    if programs() is None:
        pytest.fail(MISSING)
    started = Postgres()
    started.start()
    yield started
    started.remove()


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A Mosquitto that runs; who kills it starts it again."""
    if program() is None:
        pytest.fail(NO_BROKER)
    made = Broker()
    made.start()
    yield made
    made.remove()
