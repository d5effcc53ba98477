"""What callers write for a number or a Call-ID, past the dialplan: only what is clean comes through."""

from contextlib import ExitStack

import pytest

from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox
from tests.harness.sipp import INVITE, Caller, refused
from tests.live.conftest import BringUp, RunRouter

pytestmark = pytest.mark.live

DID = "+4722334456"
RULES = f"""\
client: fjord
name: Fjord
numbers: "{DID}"
timezone: Europe/Oslo
country: NO
routes: [{{name: all, do: decline}}]
"""


@pytest.fixture(scope="module")
def running(bring_up: BringUp, run_router: RunRouter) -> tuple[Sandbox, RouterProcess]:
    sandbox = bring_up()
    return sandbox, run_router(sandbox, {"fjord.yaml": RULES})


def calls(running: tuple[Sandbox, RouterProcess], status: int, user: str, *options: str) -> None:
    """One call, refused with that status."""
    with ExitStack() as stack:
        caller = Caller(running[0], DID, INVITE, refused(status), user=user, options=options)
        stack.callback(caller.stop)
        ended = caller.wait()
        assert ended.as_written, ended.errors


WRITTEN = [
    ("a number", "+4790000009", "+4790000009"),
    ("with dots and brackets", "(22)33.44.00", "+4722334400"),
    ("a bracket and a colon, which cut off what follows", "1)%3Ahello", "1"),
    ("an expression behind them", "1)%7D%3Ax%20%26%201%5D?x%3Ay", "1"),
    ("a byte that is not UTF-8 behind them", "1)%3A%ff", "1"),
    ("a function", "%24%7BSYSTEM(id)%7D", ""),
    ("a letter", "+479000000a", ""),
]


@pytest.mark.parametrize(("user", "caller"), [row[1:] for row in WRITTEN], ids=[row[0] for row in WRITTEN])
def test_only_a_clean_number_is_a_callers(
    running: tuple[Sandbox, RouterProcess], user: str, caller: str
) -> None:
    count = len(running[1].stories()) + 1
    calls(running, 403, user)
    assert running[1].records(DID, count=count)[0].info.caller == caller


CALL_IDS = [
    ("a colon", "[::1]:%u@[fe80::1]", 403),
    ("a byte that is not UTF-8", "x%u\udcff", 484),
    ("such a byte behind a bracket and a colon", "x%u):\udcff", 484),
    ("a bracket", "x%u)", 484),
]


@pytest.mark.parametrize(
    ("call_id", "status"), [row[1:] for row in CALL_IDS], ids=[row[0] for row in CALL_IDS]
)
def test_only_a_printable_call_id_is_let_in(
    running: tuple[Sandbox, RouterProcess], call_id: str, status: int
) -> None:
    calls(running, status, "+4790000009", "-cid_str", call_id)
    assert running[0].ari("GET", "channels") == []
