"""What a caller is told of whoever answers: by a real call."""

import time
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
client: private
name: Private
numbers: "+47 22 00 05 00"
timezone: Europe/Oslo
country: NO
people: {kari: {rings: PJSIP/100}}
routes: [{name: main, do: [{ring: kari}]}]
"""


def test_a_caller_is_not_told_which_phone_answered(tmp_path: Path) -> None:
    sandbox = Sandbox("privacy", "--rtp-timeout", "0")
    router = RouterProcess(sandbox, tmp_path, {"private.yaml": RULES})
    phone = Callee(CALLED, PICK_UP, HUNG_UP_ON)
    try:
        register(sandbox, [(sandbox.phones[0], phone.port)])
        router.start()
        caller = Caller(sandbox, "+4722000500", INVITE, ANSWERED, pause(2), bye())
        wait_until(lambda: bool(sandbox.ari("GET", "bridges")), "they talk")
        wait_until(lambda: len(sandbox.ari("GET", "bridges")[0]["channels"]) == 2, "both are in the bridge")
        time.sleep(0.5)  # in which Asterisk would tell
        told = {one["name"][:9]: one["connected"]["number"] for one in sandbox.ari("GET", "channels")}
        assert caller.wait().as_written
        [record] = router.records("+4722000500")
        caller.stop()
    finally:
        phone.stop()
        router.stop()
        sandbox.down()
    assert record.answered_by == "kari"
    assert told == {"PJSIP/tru": "", "PJSIP/100": "+4790000009"}, "only the phone is told who it is"
