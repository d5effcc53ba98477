"""What tests of several kinds stand on."""

from collections.abc import Iterator

import pytest

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
