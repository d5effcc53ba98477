"""Tags, variables for the dialplan, and a queue: by a real call."""

from pathlib import Path

import pytest

from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox
from tests.harness.sipp import (
    ANSWERED,
    CALLED,
    HUNG_UP_ON,
    INVITE,
    PICK_UP,
    Callee,
    Caller,
    bye,
    pause,
    register,
)
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.live

RULES = """\
client: marks
name: Marks
numbers: "+47 22 00 06 00"
timezone: Europe/Oslo
country: NO
people: {kari: {rings: PJSIP/100}}
queues: {desk: {agents: kari}}
routes:
  - name: main
    do: [{tag: interested}, {set: {ACCOUNT: fjord, LEVEL: "2"}}, {queue: desk}]
"""


def test_a_call_is_marked_and_reaches_somebody_by_a_queue(tmp_path: Path) -> None:
    sandbox = Sandbox("marks", "--rtp-timeout", "0")
    router = RouterProcess(sandbox, tmp_path, {"marks.yaml": RULES})
    phone = Callee(CALLED, PICK_UP, HUNG_UP_ON)
    try:
        register(sandbox, [(sandbox.phones[0], phone.port)])
        router.start()
        caller = Caller(sandbox, "+4722000600", INVITE, ANSWERED, pause(2), bye())
        wait_until(lambda: len(sandbox.ari("GET", "channels")) == 2, "they talk")
        [channel] = [one["id"] for one in sandbox.ari("GET", "channels") if "trunk" in one["name"]]
        found = {
            name: sandbox.ari("GET", f"channels/{channel}/variable?variable={name}")["value"]
            for name in ("ACCOUNT", "LEVEL")
        }
        assert caller.wait().as_written
        [record] = router.records("+4722000600")
        caller.stop()
    finally:
        phone.stop()
        router.stop()
        sandbox.down()
    assert found == {"ACCOUNT": "fjord", "LEVEL": "2"}
    assert (record.disposition.value, record.answered_by) == ("answered", "kari")
    assert record.flags == ()
    noted = [(seen.what, seen.detail) for seen in record.evidence[:2]]
    assert noted == [("tagged", "interested"), ("queue_joined", "desk")]
