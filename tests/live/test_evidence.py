"""Both evidence tables of the dispositions, by real calls through a real Asterisk.

Every row is a call with a number, a route and phones of its own. All are placed before the first test; each
test then looks at what came of one row.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from router.core.record import AttemptOutcome, CallRecord, Disposition, Party, Phase
from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox
from tests.harness.sipp import (
    ANSWERED,
    ANSWERED_NO_ACK,
    CALLED,
    CANCEL,
    CANCELLED,
    HUNG_UP_ON,
    INVITE,
    LETS_PASS,
    PICK_UP,
    PICK_UP_TOO_LATE,
    RINGING,
    RINGS,
    SPEAK,
    TRIES,
    TRYING,
    Ended,
    bye,
    called,
    caller_hangs_up_about,
    cancelled,
    hang_up,
    invite,
    pause,
    phone_hangs_up_about,
    refused,
    reject,
)
from tests.live.conftest import BringUp, RunRouter
from tests.live.rows import Came, NoPhone, Result, Row, Seen, Stage, Tried

pytestmark = pytest.mark.live

A, D, P = AttemptOutcome, Disposition, Phase
CALLER, CALLEE, ROUTER, NETWORK = Party.CALLER, Party.CALLEE, Party.ROUTER, Party.NETWORK

ANSWERS = (CALLED, RINGING, pause(0.3), PICK_UP)
CALLER_ASKED = Seen("hangup_requested", 0)
"""A caller's plain BYE brings no cause; a phone's brings 16."""
TALKED = Tried(A.ANSWERED, "", 16, 0)
RING = "[{ring: P0, for: 5s}, decline]"
HEARS_ALL = (INVITE, ANSWERED, HUNG_UP_ON)
HANGS_UP_AFTER_A_TALK = (INVITE, ANSWERED, pause(0.5), bye())
_ASSERTED = "P-Asserted-Identity: <sip:+4790000123@127.0.0.1>\nPrivacy: id"
LEFT_WAITING = (INVITE, RINGS, pause(0.5), CANCEL)


def tried_once(
    name: str,
    phone: tuple[str, ...] | NoPhone,
    tried: Tried,
    disposition: Disposition,
    reason: str = "",
    *,
    on: str,
    ring_for: str = "5s",
) -> Row:
    """One phone that nobody answers. That the step branches by `on` is heard by the caller: 486, else 403."""
    return Row(
        name=name,
        do=f"[{{ring: P0, for: {ring_for}, on: {{{on}: [{{decline: busy}}]}}}}, decline]",
        caller=(INVITE, refused(486)),
        phones=(phone,),
        result=Result(disposition, reason, ROUTER, P.RINGING),
        tried=(tried,),
        evidence=(Seen("ended", 1, tried.cause, tried.tech_cause),) if tried.cause else (),
    )


UNREACHABLE, INVALID, CONGESTION = A.UNREACHABLE, A.INVALID_NUMBER, A.CONGESTION
LEGS = (
    # By what the phone says.
    tried_once("486", (CALLED, reject(486)), Tried(A.BUSY, "", 17, 486), D.BUSY, on="busy"),
    tried_once("600", (CALLED, reject(600)), Tried(A.BUSY, "", 17, 600), D.BUSY, on="busy"),
    tried_once("603", (CALLED, RINGING, reject(603)), Tried(A.DECLINED, "", 21, 603),
               D.NO_ANSWER, "declined", on="declined"),
    tried_once("403", (CALLED, RINGING, reject(403)), Tried(A.DECLINED, "forbidden", 21, 403),
               D.NO_ANSWER, "declined", on="declined"),
    tried_once("607", (CALLED, RINGING, reject(607)), Tried(A.DECLINED, "unwanted", 127, 607),
               D.NO_ANSWER, "declined", on="declined"),
    tried_once("480 without ringing", (CALLED, reject(480)), Tried(UNREACHABLE, "unavailable", 19, 480),
               D.FAILED, "unreachable", on="unreachable"),
    tried_once("480 after ringing", (CALLED, RINGING, reject(480)),
               Tried(A.NO_ANSWER, "unavailable", 19, 480), D.NO_ANSWER, on="no_answer"),
    tried_once("404", (CALLED, reject(404)), Tried(INVALID, "unallocated", 1, 404),
               D.FAILED, "invalid_number", on="failed"),
    tried_once("604", (CALLED, reject(604)), Tried(INVALID, "unallocated", 1, 604),
               D.FAILED, "invalid_number", on="failed"),
    tried_once("484", (CALLED, reject(484)), Tried(INVALID, "incomplete", 28, 484),
               D.FAILED, "invalid_number", on="failed"),
    tried_once("410", (CALLED, reject(410)), Tried(INVALID, "number_changed", 22, 410),
               D.FAILED, "invalid_number", on="failed"),
    tried_once("503", (CALLED, reject(503)), Tried(CONGESTION, "service_unavailable", 34, 503),
               D.FAILED, "congestion", on="failed"),
    tried_once("500", (CALLED, reject(500)), Tried(CONGESTION, "server_error", 38, 500),
               D.FAILED, "congestion", on="failed"),
    tried_once("502", (CALLED, reject(502)), Tried(CONGESTION, "bad_gateway", 27, 502),
               D.FAILED, "congestion", on="failed"),
    tried_once("504", (CALLED, reject(504)), Tried(CONGESTION, "gateway_timeout", 102, 504),
               D.FAILED, "congestion", on="failed"),
    tried_once("488", (CALLED, reject(488)), Tried(A.MEDIA, "", 58, 488), D.FAILED, "media", on="failed"),
    # By silence.
    tried_once("no answer by our timer", (CALLED, RINGING, CANCELLED), Tried(A.NO_ANSWER, "", 16, 0),
               D.NO_ANSWER, on="no_answer", ring_for="2s"),
    tried_once("silent host until 408", NoPhone.SILENT, Tried(UNREACHABLE, "no_response", 18, 408),
               D.FAILED, "unreachable", on="unreachable", ring_for="45s"),
    tried_once("silent host until our timer", NoPhone.SILENT, Tried(A.NO_ANSWER, "", 16, 0),
               D.NO_ANSWER, on="no_answer", ring_for="2s"),
    tried_once("endpoint offline", NoPhone.OFFLINE, Tried(UNREACHABLE, "offline", 0, 0),
               D.FAILED, "unreachable", on="unreachable"),
    tried_once("answer crossing our cancel", (CALLED, RINGING, PICK_UP_TOO_LATE),
               Tried(A.NO_ANSWER, "", 16, 0), D.NO_ANSWER, on="no_answer", ring_for="1s"),
)  # fmt: skip

REDIRECTED = Row(
    name="302",
    do="[{ring: P0, for: 5s, on: {failed: [{decline: busy}]}}, decline]",
    caller=(INVITE, refused(486)),
    phones=((CALLED, reject(302, "sip:somebody@127.0.0.1:[phone1]")), NoPhone.NEVER_CALLED),
    result=Result(D.FAILED, "redirected", ROUTER, P.RINGING),
    tried=(Tried(A.REDIRECTED, "", 23, 302),),
    evidence=(Seen("ended", 1, 23, 302),),
)

ABANDONED = Result(D.ABANDONED, "", CALLER, P.RINGING)
CANCELLED_LEG = Tried(A.CANCELLED, "", 16, 0)
LEAVING = (
    Row(
        name="caller cancels before the phone rings",
        do=RING,
        caller=LEFT_WAITING,
        phones=((CALLED, TRIES, CANCELLED),),
        result=ABANDONED,
        tried=(CANCELLED_LEG,),
        evidence=(Seen("ended", 0, 127, 487),),
    ),
    Row(
        name="the phone rings only after the caller left",
        do=RING,
        caller=LEFT_WAITING,
        phones=((CALLED, pause(1), RINGING, CANCELLED),),
        result=ABANDONED,
        tried=(CANCELLED_LEG,),
        evidence=(Seen("ended", 0, 127, 487),),
    ),
    Row(
        name="caller cancels while it rings",
        do=RING,
        caller=LEFT_WAITING,
        phones=((CALLED, RINGING, CANCELLED),),
        result=ABANDONED,
        tried=(CANCELLED_LEG,),
        evidence=(Seen("ended", 0, 127, 487),),
    ),
    Row(
        name="caller hangs up in the greeting",
        do="[{say: {file: hello-world}}, {ring: P0, for: 5s}]",
        caller=HANGS_UP_AFTER_A_TALK,
        phones=(NoPhone.NEVER_CALLED,),
        result=Result(D.ABANDONED, "", CALLER, P.GREETING),
        evidence=(CALLER_ASKED,),
    ),
    Row(
        name="caller hangs up in a closing information",
        do="[{say: {file: hello-world}}, hangup]",
        caller=HANGS_UP_AFTER_A_TALK,
        result=Result(D.INFORMED, "", CALLER, P.CLOSING),
        evidence=(CALLER_ASKED,),
    ),
    Row(
        name="caller hears a closing information to its end",
        do="[{say: {file: hello}}, hangup]",
        caller=HEARS_ALL,
        result=Result(D.INFORMED, "", ROUTER, P.CLOSING),
        evidence=(Seen("router_hung_up", 0),),
    ),
)

AT_ONCE = Row(
    name="caller cancels at once",
    do=RING,
    caller=(INVITE, TRYING, CANCEL),
    phones=(NoPhone.SILENT,),
    result=None,
    calls=10,
)
"""Some of these callers are gone before Asterisk's dialplan has reached us; nobody tells us of them."""

WITHHELD = Row(
    name="caller withholds the number that the trunk knows",
    do=RING,
    caller=(invite(_ASSERTED), *HANGS_UP_AFTER_A_TALK[1:]),
    phones=((called(caller=".*anonymous.*"), *ANSWERS[1:], HUNG_UP_ON),),
    result=Result(D.ANSWERED, "", CALLER, P.TALKING),
    tried=(TALKED,),
    user="anonymous",
)

TALKS = (
    WITHHELD,
    Row(
        name="caller hangs up a talk",
        do=RING,
        caller=HANGS_UP_AFTER_A_TALK,
        phones=((*ANSWERS, HUNG_UP_ON),),
        result=Result(D.ANSWERED, "", CALLER, P.TALKING),
        tried=(TALKED,),
        evidence=(CALLER_ASKED,),
    ),
    Row(
        name="callee hangs up a talk",
        do=RING,
        caller=HEARS_ALL,
        phones=((*ANSWERS, pause(0.5), hang_up()),),
        result=Result(D.ANSWERED, "", CALLEE, P.TALKING),
        tried=(TALKED,),
        evidence=(Seen("hangup_requested", 1, 16),),
    ),
    Row(
        name="caller's network fails, Q.850 38",
        do=RING,
        caller=(INVITE, ANSWERED, pause(0.5), bye('Q.850;cause=38;text="Network out of order"')),
        phones=((*ANSWERS, HUNG_UP_ON),),
        result=Result(D.DROPPED, "network", NETWORK, P.TALKING),
        tried=(TALKED,),
        evidence=(Seen("hangup_requested", 0, 38),),
    ),
    Row(
        name="caller's network fails, Q.850 41",
        do=RING,
        caller=(INVITE, ANSWERED, pause(0.5), bye("Q.850;cause=41")),
        phones=((*ANSWERS, HUNG_UP_ON),),
        result=Result(D.DROPPED, "network", NETWORK, P.TALKING),
        tried=(TALKED,),
        evidence=(Seen("hangup_requested", 0, 41),),
    ),
    Row(
        name="callee's network fails, Q.850 41",
        do=RING,
        caller=HEARS_ALL,
        phones=((*ANSWERS, pause(0.5), hang_up("Q.850;cause=41")),),
        result=Result(D.DROPPED, "network", NETWORK, P.TALKING),
        tried=(Tried(A.ANSWERED, "", 41, 0),),
        evidence=(Seen("hangup_requested", 1, 41),),
    ),
    Row(
        name="caller never acknowledges the answer",
        do=RING,
        caller=(INVITE, ANSWERED_NO_ACK, HUNG_UP_ON),
        phones=((*ANSWERS, HUNG_UP_ON),),
        result=Result(D.DROPPED, "session_timer", NETWORK, P.TALKING),
        tried=(TALKED,),
        evidence=(Seen("ended", 0, 18, 408),),
    ),
)

GLARE = tuple(
    Row(
        name=f"both hang up at once, {late} ms",
        do=RING,
        caller=(INVITE, ANSWERED, caller_hangs_up_about(1)),
        phones=((*ANSWERS, phone_hangs_up_about(1 + late / 1000)),),
        result=None,
        calls=16,
        options=LETS_PASS,
        exact=True,
    )
    for late in (0, 2, 4, 6, 8, 12, 20)
)
"""The phone has its ACK some milliseconds before the caller has the answer."""

PROMPTS = (
    Row(
        name="a missing prompt does not keep the caller waiting",
        do="[{say: {file: no-such-prompt}}, {ring: P0, for: 5s}]",
        # Answered by the prompt already, so it has to wait for the phone, too.
        caller=(INVITE, ANSWERED, pause(3), bye()),
        phones=((*ANSWERS, HUNG_UP_ON),),
        result=Result(D.ANSWERED, "", CALLER, P.TALKING),
        tried=(TALKED,),
        evidence=(Seen("prompt_failed", 0),),
        flags=("prompt_failed",),
    ),
    Row(
        name="last resort after a busy phone",
        do="[{ring: P0, for: 5s}]",
        caller=HEARS_ALL,
        phones=((CALLED, reject(486)),),
        result=Result(D.BUSY, "", ROUTER, P.CLOSING),
        tried=(Tried(A.BUSY, "", 17, 486),),
        evidence=(Seen("ended", 1, 17, 486), Seen("router_hung_up", 0)),
    ),
)

NO_NUMBERS = (
    ("a letter in it", "+4722a1"),
    ("another context after a colon", "12%3Afrom-phones,100,1"),
    ("this place again after a colon", "1)%3Fcallrouter-breakglass,s,1%3A"),
    ("an application after a colon", "1%3AGoto(callrouter-breakglass,s,1)"),
    ("quotes and brackets", "12%22)%7D"),
    ("a byte that is not UTF-8", "12%ff"),
    ("the dead-man's own", "T"),
    ("the one for what is not valid", "i"),
)
"""What a caller may write for a number to get past the guards of the dialplan, or to steer it."""

REFUSALS = (
    Row(
        name="decline",
        do="[decline]",
        caller=(INVITE, refused(403)),
        result=Result(D.BLOCKED, "route decline", ROUTER, P.GREETING),
        evidence=(Seen("router_hung_up", 0),),
    ),
    Row(
        name="decline as busy",
        do="[{decline: busy}]",
        caller=(INVITE, refused(486)),
        result=Result(D.BLOCKED, "route decline as busy", ROUTER, P.GREETING),
        evidence=(Seen("router_hung_up", 0),),
    ),
    Row(
        name="hangup",
        do="[hangup]",
        caller=(INVITE, refused(603)),
        result=Result(D.BLOCKED, "route hangup", ROUTER, P.GREETING),
        evidence=(Seen("router_hung_up", 0),),
    ),
    Row(
        name="blocked, declined",
        dialled="+4722110001",
        user="+4781549001",
        caller=(INVITE, refused(403)),
        result=Result(D.BLOCKED, "advertisers", ROUTER, P.GREETING),
        evidence=(Seen("router_hung_up", 0),),
    ),
    Row(
        name="blocked, told busy",
        dialled="+4722110002",
        user="+4781549001",
        caller=(INVITE, refused(486)),
        result=Result(D.BLOCKED, "advertisers", ROUTER, P.GREETING),
        evidence=(Seen("router_hung_up", 0),),
    ),
    Row(
        name="blocked, told so",
        dialled="+4722110003",
        user="+4781549001",
        caller=HEARS_ALL,
        result=Result(D.BLOCKED, "advertisers", ROUTER, P.CLOSING),
        evidence=(Seen("router_hung_up", 0),),
    ),
    Row(
        name="a number of nobody",
        dialled="+4722999999",
        caller=(INVITE, refused(404)),
        result=Result(D.FAILED, "no_route", ROUTER, P.GREETING),
        evidence=(Seen("router_hung_up", 0),),
    ),
    Row(
        name="no route takes the call",
        dialled="+4722119999",
        caller=HEARS_ALL,
        result=Result(D.FAILED, "no_route", ROUTER, P.CLOSING),
        evidence=(Seen("router_hung_up", 0),),
    ),
    *(
        Row(name=f"no number: {why}", dialled=dialled, caller=(INVITE, refused(484)), result=None)
        for why, dialled in NO_NUMBERS
    ),
)

SEVERAL_PHONES = (
    Row(
        name="answered elsewhere",
        do="[{ring: [P0, P1], order: all, for: 5s}]",
        caller=HANGS_UP_AFTER_A_TALK,
        phones=(
            (CALLED, RINGING, pause(0.8), PICK_UP, HUNG_UP_ON),
            (CALLED, RINGING, cancelled(reason="SIP *; *cause=200")),
        ),
        result=Result(D.ANSWERED, "", CALLER, P.TALKING),
        tried=(TALKED, Tried(A.ANSWERED_ELSEWHERE, "", 26, 0)),
        evidence=(CALLER_ASKED,),
    ),
    Row(
        name="hunting in turn",
        do="[{ring: [P0, P1, P2], order: in-turn, for: 2s}]",
        caller=HANGS_UP_AFTER_A_TALK,
        phones=((CALLED, reject(486)), (CALLED, RINGING, CANCELLED), (*ANSWERS, HUNG_UP_ON)),
        result=Result(D.ANSWERED, "", CALLER, P.TALKING),
        tried=(Tried(A.BUSY, "", 17, 486), Tried(A.NO_ANSWER, "", 16, 0), TALKED),
        evidence=(Seen("ended", 1, 17, 486), Seen("ended", 2, 16), CALLER_ASKED),
    ),
    Row(
        name="after a branch the steps go on below",
        do="[{ring: P0, for: 5s, on: {busy: [{say: {file: hello}}]}}, {ring: P1, for: 5s}]",
        caller=HEARS_ALL,
        phones=((CALLED, reject(486)), (*ANSWERS, pause(0.3), hang_up())),
        result=Result(D.ANSWERED, "", CALLEE, P.TALKING),
        tried=(Tried(A.BUSY, "", 17, 486), TALKED),
        evidence=(Seen("ended", 1, 17, 486), Seen("hangup_requested", 2, 16)),
    ),
    Row(
        name="outside their hours nobody is rung",
        do="[{ring: [away, P0], order: all, for: 5s}]",
        caller=HANGS_UP_AFTER_A_TALK,
        phones=((*ANSWERS, HUNG_UP_ON),),
        result=Result(D.ANSWERED, "", CALLER, P.TALKING),
        tried=(TALKED,),
        evidence=(CALLER_ASKED,),
    ),
    Row(
        name="all are outside their hours",
        do="[{ring: away, for: 5s, on: {unreachable: [{decline: busy}]}}, decline]",
        caller=(INVITE, refused(486)),
        result=Result(D.FAILED, "nobody_available", ROUTER, P.RINGING),
        evidence=(Seen("router_hung_up", 0),),
    ),
    Row(
        name="through the trunk",
        do='[{ring: {number: "+4790000001", confirm: false}, for: 5s}]',
        user="+4790000077",
        caller=HANGS_UP_AFTER_A_TALK,
        trunk=(
            called(request=r"^INVITE sip:\+4790000001@", caller="sip:\\+4790000077@"),
            RINGING,
            pause(0.3),
            PICK_UP,
            HUNG_UP_ON,
        ),
        result=Result(D.ANSWERED, "", CALLER, P.TALKING),
        tried=(TALKED,),
        evidence=(CALLER_ASKED,),
    ),
)

SILENCE = (
    Row(
        name="nobody sends media",
        do=RING,
        caller=HEARS_ALL,
        phones=((*ANSWERS, HUNG_UP_ON),),
        result=Result(D.DROPPED, "rtp_timeout", NETWORK, P.TALKING),
        tried=(Tried(A.ANSWERED, "", 44, 0),),
        evidence=(),
    ),
    Row(
        name="caller vanishes without a BYE",
        do=RING,
        caller=(INVITE, ANSWERED, pause(0.5)),
        phones=((*ANSWERS, SPEAK, HUNG_UP_ON),),
        result=Result(D.DROPPED, "rtp_timeout", NETWORK, P.TALKING),
        tried=(TALKED,),
        evidence=(Seen("hangup_requested", 0, 1, soft=True), Seen("ended", 0, 44)),
    ),
    Row(
        name="callee vanishes without a BYE",
        do=RING,
        caller=(INVITE, ANSWERED, SPEAK, HUNG_UP_ON),
        phones=(ANSWERS,),
        result=Result(D.DROPPED, "rtp_timeout", NETWORK, P.TALKING),
        tried=(Tried(A.ANSWERED, "", 44, 0),),
        evidence=(Seen("hangup_requested", 1, 1, soft=True), Seen("ended", 1, 44)),
    ),
)

MAIN = (*LEGS, REDIRECTED, *LEAVING, AT_ONCE, *TALKS, *GLARE, *PROMPTS, *REFUSALS, *SEVERAL_PHONES)
ROWS = [*MAIN, *SILENCE]
RECORDED = [row for row in ROWS if row.result]

CLIENT = """\
client: rows
name: One route for each row
numbers: ["+472200xxxx"]
timezone: Europe/Oslo
country: NO
hours:
  never: {dates: {2020-01-01: "08:00-12:00"}}
people:
  away: {rings: PJSIP/179, hours: never}
last_resort: [{say: {file: hello}}]
routes:
"""
SCREENED = """\
client: screened-NUMBER
name: Refuses advertisers
numbers: "+472211000NUMBER"
timezone: Europe/Oslo
country: NO
screening:
  block: [{name: advertisers, numbers: ["+4781549xxx"]}]
  treatment: TREATMENT
routes: [{name: main, do: hangup}]
"""
NO_ROUTE = """\
client: no-route
name: Its only route takes no call
numbers: "+4722119999"
timezone: Europe/Oslo
country: NO
last_resort: [{say: {file: hello}}]
routes: [{name: other, when: {dialled: "+4722110000"}, do: hangup}]
"""


def _rules(stage: Stage) -> dict[str, str]:
    """One file a client."""
    screened = {
        f"screened-{number}.yaml": SCREENED.replace("NUMBER", str(number)).replace("TREATMENT", treatment)
        for number, treatment in enumerate(("decline", "busy", "{say: {file: hello}}"), start=1)
    }
    return {"rows.yaml": CLIENT + stage.routes(), "no-route.yaml": NO_ROUTE, **screened}


class Played(NamedTuple):
    """All rows, played."""

    came: dict[str, Came]
    rooms: tuple[tuple[Sandbox, RouterProcess], ...]


@pytest.fixture(scope="module")
def played(bring_up: BringUp, run_router: RunRouter) -> Played:
    """Place all calls of all rows, on two Asterisks; the longest takes 32 seconds."""
    with ThreadPoolExecutor() as pool:
        main, silence = pool.map(bring_up, ("--rtp-timeout=0", "--rtp-timeout=2"))
    stages = Stage(main, MAIN), Stage(silence, SILENCE)
    routers = tuple(run_router(stage.sandbox, _rules(stage)) for stage in stages)
    with ThreadPoolExecutor() as pool:
        loud, quiet = pool.map(Stage.play, stages, routers)
    return Played(loud | quiet, ((main, routers[0]), (silence, routers[1])))


def by_name(rows: list[Row]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows, ids=lambda row: row.name)


def the_record(played: Played, row: Row) -> CallRecord:
    came = played.came[row.name]
    assert came.unfinished == 0, "a call has no record"
    assert len(came.records) == 1, "one call, one record"
    return came.records[0]


def _seen(record: CallRecord) -> list[Seen]:
    return [Seen(one.what, one.leg, one.cause, one.tech_cause, one.soft) for one in record.evidence]


@by_name(RECORDED)
def test_disposition(played: Played, row: Row) -> None:
    record = the_record(played, row)
    assert Result(record.disposition, record.reason, record.hung_up_by, record.phase) == row.result
    assert record.flags == row.flags


@by_name(RECORDED)
def test_attempts(played: Played, row: Row) -> None:
    attempts = the_record(played, row).attempts
    assert tuple(Tried(one.outcome, one.reason, one.cause, one.tech_cause) for one in attempts) == row.tried


@by_name(RECORDED)
def test_evidence_is_stored(played: Played, row: Row) -> None:
    evidence = _seen(the_record(played, row))
    assert evidence, "no disposition without evidence"
    assert [seen for seen in row.evidence if seen not in evidence] == []


@by_name(ROWS)
def test_both_ends_saw_it_so(played: Played, row: Row) -> None:
    came = played.came[row.name]
    far_ends = [came.caller, *(phone for phone in came.phones if isinstance(phone, Ended))]
    assert [end.errors for end in far_ends if not end.as_written] == []
    heard = [
        lines
        for moves, lines in zip(row.phones, came.phones, strict=False)
        if moves in (NoPhone.NEVER_CALLED, NoPhone.OFFLINE)
    ]
    assert not any(heard), "somebody was called who must not be"


@pytest.mark.parametrize("why", [why for why, _ in NO_NUMBERS])
def test_a_number_that_is_none_makes_no_record(played: Played, why: str) -> None:
    came = played.came[f"no number: {why}"]
    assert (came.records, came.unfinished) == ((), 0)


def test_whoever_cancels_at_once_has_abandoned_or_never_came(played: Played) -> None:
    came = played.came[AT_ONCE.name]
    assert (came.unfinished, came.caller.as_written) == (0, True)
    for record in came.records:
        assert Result(record.disposition, record.reason, record.hung_up_by, record.phase) == ABANDONED
        assert Seen("ended", 0, 127, 487) in _seen(record)


@by_name([*GLARE])
def test_both_hang_up_at_once(played: Played, row: Row) -> None:
    came = played.came[row.name]
    assert (len(came.records), came.unfinished) == (row.calls, 0)
    for record in came.records:
        assert (record.disposition, record.reason) == (D.ANSWERED, "")
        before_any_left = record.evidence[: [seen.what for seen in record.evidence].index("left")]
        asked = [seen.leg for seen in before_any_left if seen.what == "hangup_requested" and not seen.soft]
        assert record.hung_up_by == (CALLER if asked[0] == 0 else CALLEE), "the first to ask ended it"
        assert ("glare" in record.flags) == (set(asked) == {0, 1})


def test_the_ring_times_are_the_phones_own(played: Played) -> None:
    by_timer = played.came["no answer by our timer"].records[0]
    never_rang = played.came["caller cancels before the phone rings"].records[0]
    # The phone hears of it a moment after the timer; a second is what it may ring on.
    assert 0.5 < by_timer.ring_seconds < by_timer.wait_seconds + 1.0
    assert never_rang.ring_seconds == 0
    assert never_rang.wait_seconds > 0.4


def test_nothing_is_left_in_asterisk(played: Played) -> None:
    assert [left for sandbox, _ in played.rooms for left in sandbox.left_behind()] == []


def test_calls_entered_are_disposed_or_live(played: Played) -> None:
    for _, router in played.rooms:
        metrics = router.metrics()
        ended = sum(value for name, value in metrics.items() if name.startswith("callrouter_calls_total"))
        live = sum(value for name, value in metrics.items() if name.startswith("callrouter_live_calls"))
        assert metrics["callrouter_calls_entered_total"] == ended + live
        assert live == 0
        assert ended == len(router.stories())


def test_no_call_was_an_error(played: Played) -> None:
    for _, router in played.rooms:
        assert "Traceback" not in router.log.read_text()


def test_a_destination_that_is_not_allowed_is_refused_at_load(tmp_path: Path) -> None:
    rules = CLIENT + '  - {name: abroad, do: {ring: "+46701234567"}}\n'
    (tmp_path / "rows.yaml").write_text(rules)
    program = Path(sys.executable).with_name("callrouter")
    check = subprocess.run([program, "check", tmp_path], capture_output=True, text=True, check=False)
    line = rules.count("\n")
    assert check.returncode == 1
    assert f"rows.yaml:{line}:" in check.stdout + check.stderr
    assert "+46701234567" in check.stdout + check.stderr


def test_a_withheld_number_is_written_down_nowhere(played: Played) -> None:
    [record] = played.came[WITHHELD.name].records
    assert record.info.caller == ""
