"""A party that asks to be transferred (REFER): until a transfer is carried out, it leaves nobody ringing."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from router.core.record import Disposition
from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox
from tests.harness.sipp import (
    ANSWERED,
    CALLED,
    CANCELLED,
    HUNG_UP_ON,
    INVITE,
    LETS_PASS,
    PICK_UP,
    RINGING,
    Callee,
    Caller,
    Ended,
    bye,
    pause,
    refer,
    register,
)
from tests.live.conftest import BringUp, RunRouter

pytestmark = pytest.mark.live

DID = "+4722334455"
RULES = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
routes: [{name: main, do: [{ring: P0, for: 5s}]}]
"""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as kept:
        yield kept


@pytest.fixture(scope="module")
def running(bring_up: BringUp, run_router: RunRouter) -> tuple[Sandbox, RouterProcess]:
    sandbox = bring_up("live-main", "--rtp-timeout=0")
    return sandbox, run_router(sandbox, {"fjord.yaml": RULES.replace("P0", sandbox.phones[0].endpoint)})


WHERE = [("another phone", "sip:{}@127.0.0.1"), ("a number of ours", "sip:+4722334455@127.0.0.1")]


@pytest.mark.parametrize("to", [row[1] for row in WHERE], ids=[row[0] for row in WHERE])
def test_a_transfer_rings_nobody_on(
    running: tuple[Sandbox, RouterProcess], stack: ExitStack, to: str
) -> None:
    sandbox, router = running
    first, second = sandbox.phones[:2]
    asks = (CALLED, RINGING, PICK_UP, pause(0.3), refer(to.format(second.username)), HUNG_UP_ON)
    phone = Callee(*asks, calls=1, options=LETS_PASS)
    other = Callee(CALLED, RINGING, CANCELLED, calls=1, limit=8)
    for one in (phone, other):
        stack.callback(one.stop)
        one.listening()
    register(sandbox, [(first, phone.port), (second, other.port)])
    began = len(router.stories())
    caller = Caller(sandbox, DID, INVITE, ANSWERED, pause(2), bye())
    stack.callback(caller.stop)
    assert caller.wait() == Ended(0, "")
    time.sleep(1)
    assert sandbox.left_behind(within=1) == []
    stories = router.stories()
    assert all(story.record for story in stories)
    # A transfer to a number of ours comes as a call of its own, and ends at once.
    ended = [story.record.disposition for story in stories[: len(stories) - began] if story.record]
    assert ended.count(Disposition.ANSWERED) == 1
