"""Of the worst files of 1 MB that we know, one in eight loads whole or says why, each within bounds that only
what never ends would reach. The bench loads them all, and measures what they cost.
"""

import pytest

from tests.properties.loading import Loaded, load_all
from tests.properties.worst_files import folders

NAMES = [name for name, _ in folders()][::8]


@pytest.fixture(scope="module")
def loaded() -> dict[str, Loaded]:
    return {one.name: one for one in load_all(NAMES)}


@pytest.mark.parametrize("name", NAMES)
def test_the_worst_files_load_or_say_why(loaded: dict[str, Loaded], name: str) -> None:
    one = loaded[name]
    assert one.broken == ""
    assert one.clients == one.files or (one.clients == 0 and one.errors)
    assert one.errors == 0 or one.first.startswith(one.names)
