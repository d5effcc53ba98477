"""Plans lived through without a phone: what a rehearsal says is what the call machine says."""

import msgspec
import pytest

from router.core.cast import Cast
from router.core.dialling import Dialling
from router.core.plan import (
    Callback,
    CallPlan,
    Challenge,
    Dialplan,
    Directory,
    HangUp,
    Menu,
    Message,
    PlanNode,
    Queue,
    Refuse,
    Ring,
    RingOutcome,
    SayHours,
    SetTags,
    SetVariables,
    Speak,
)
from router.core.rehearsal import rehearse
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from tests.unit.story import ANNA, BO, GOODBYE, HELLO, IN_TURN, INFO, RING_ANNA, RING_BOTH, plan

RULES = (
    """
client: fjord
name: Fjord
timezone: Europe/Oslo
country: NO
people:
  anna: {extension: 101, rings: PJSIP/1}
  bo: {name: Bo Berg, rings: PJSIP/2}
  eva: {rings: PJSIP/3}
"""
    + "".join(f"  t{n}: {{name: Tor Lie}}\n" for n in range(10))
    + """
last_resort: [hangup]
routes: [{name: main, do: [directory]}]
"""
)


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    found = compile_rules({"f.yaml": RULES}, Dialling())
    assert isinstance(found, RuleSet)
    return found


BUSY, DECLINED, UNREACHABLE, FAILED, NO_ANSWER = (
    RingOutcome.BUSY,
    RingOutcome.DECLINED,
    RingOutcome.UNREACHABLE,
    RingOutcome.FAILED,
    RingOutcome.NO_ANSWER,
)
BRANCHES = plan(RING_ANNA, GOODBYE, HELLO, on={BUSY: 2})
MESSAGE = Message()
QUEUE = Queue("desk", ("anna", "bo"), 60.0)
MENU = CallPlan(
    (
        PlanNode(Menu(HELLO, ("1", "2")), 3, {"1": 1, "2": 2}),
        PlanNode(RING_ANNA),
        PlanNode(GOODBYE),
        PlanNode(Ring(((BO,),), 20.0)),
    )
)
CHALLENGE = CallPlan(
    (
        PlanNode(Challenge(HELLO), 2, {"failed": 1}),
        PlanNode(Refuse("decline", "telemarketers")),
        PlanNode(RING_ANNA),
    )
)

ROWS: list[tuple[str, CallPlan, dict[str, str], tuple[int, ...], tuple[str, str | None]]] = [
    ("answered", plan(RING_ANNA), {}, (0,), ("answered", "anna")),
    ("a prompt before", plan(HELLO, RING_ANNA), {}, (0, 1), ("answered", "anna")),
    ("the one who is free", plan(RING_BOTH), {"anna": BUSY}, (0,), ("answered", "bo")),
    ("the second in turn", plan(IN_TURN), {"anna": NO_ANSWER}, (0,), ("answered", "bo")),
    ("busy", plan(RING_ANNA, GOODBYE), {"anna": BUSY}, (0, 1), ("busy", None)),
    ("declined", plan(RING_ANNA, GOODBYE), {"anna": DECLINED}, (0, 1), ("no_answer", None)),
    ("nobody answers", plan(RING_ANNA, GOODBYE), {"anna": NO_ANSWER}, (0, 1), ("no_answer", None)),
    ("unreachable", plan(RING_ANNA), {"anna": UNREACHABLE}, (0,), ("failed", None)),
    ("failed", plan(RING_BOTH), {"anna": FAILED, "bo": FAILED}, (0,), ("failed", None)),
    ("a branch", BRANCHES, {"anna": BUSY}, (0, 2), ("busy", None)),
    ("past a branch", BRANCHES, {"anna": DECLINED}, (0, 1, 2), ("no_answer", None)),
    ("nobody is there", plan(Ring((), 20.0), GOODBYE), {}, (0, 1), ("failed", None)),
    ("told something", plan(HELLO), {}, (0,), ("informed", None)),
    ("refused", plan(Refuse("busy")), {}, (0,), ("blocked", None)),
    ("told and hung up", plan(HELLO, HangUp()), {}, (0, 1), ("informed", None)),
    ("handed over", plan(HELLO, Dialplan("fax", "100")), {}, (0, 1), ("transferred", None)),
    ("nothing to do", plan(), {}, (), ("blocked", None)),
    ("told a text", plan(Speak("Hi.", "en")), {}, (0,), ("informed", None)),
    ("told the hours", plan(SayHours("office", "en")), {}, (0,), ("informed", None)),
    ("a message", plan(HELLO, MESSAGE, RING_ANNA), {}, (0, 1), ("message_left", None)),
    ("no message", plan(HELLO, MESSAGE), {"message": "otherwise"}, (0, 1), ("informed", None)),
    (
        "no message, then rung",
        plan(MESSAGE, RING_ANNA),
        {"message": "otherwise"},
        (0, 1),
        ("answered", "anna"),
    ),
    ("a callback", plan(Callback()), {}, (0,), ("callback_requested", None)),
    ("no callback", plan(Callback(), GOODBYE), {"callback": "otherwise"}, (0, 1), ("informed", None)),
    ("the first key", MENU, {"menu": "1"}, (0, 1), ("answered", "anna")),
    ("the second key", MENU, {"menu": "2"}, (0, 2), ("informed", None)),
    ("a wrong key", MENU, {"menu": "9"}, (0, 3), ("answered", "bo")),
    ("no key", MENU, {}, (0, 3), ("answered", "bo")),
    ("the first agent", plan(QUEUE), {}, (0,), ("answered", "anna")),
    ("the agent who is free", plan(QUEUE), {"anna": BUSY}, (0,), ("answered", "bo")),
    ("no agent is free", plan(QUEUE, GOODBYE), {"anna": BUSY, "bo": BUSY}, (0, 1), ("no_answer", None)),
    ("a queue is full", plan(QUEUE, GOODBYE), {"desk": "full"}, (0, 1), ("no_answer", None)),
    ("a queue without agents", plan(Queue("desk", (), 60.0)), {}, (0,), ("no_answer", None)),
    ("found by extension", plan(Directory()), {"directory": "anna"}, (0, 1), ("answered", "anna")),
    ("found by name", plan(Directory(), GOODBYE), {"directory": "bo"}, (0, 2), ("answered", "bo")),
    ("found, busy", plan(Directory()), {"directory": "bo", "bo": BUSY}, (0, 1, 2), ("busy", None)),
    ("in no directory", plan(Directory(), GOODBYE), {"directory": "eva"}, (0, 1), ("informed", None)),
    ("unknown", plan(Directory(), GOODBYE), {"directory": "carl"}, (0, 1), ("informed", None)),
    ("one of many", plan(Directory(), GOODBYE), {"directory": "t0"}, (0, 1), ("informed", None)),
    ("nobody wanted", plan(Directory(), GOODBYE), {}, (0, 1), ("informed", None)),
    ("a challenge failed", CHALLENGE, {}, (0, 1), ("blocked", None)),
    ("a challenge passed", CHALLENGE, {"challenge": "passed"}, (0, 2), ("answered", "anna")),
    (
        "tags and variables",
        plan(SetTags(("a",)), SetVariables((("A", "1"),)), HELLO),
        {},
        (0, 1, 2),
        ("informed", None),
    ),
]


@pytest.mark.parametrize(
    ("the_plan", "does", "met", "becomes"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_what_becomes_of_a_plan(
    the_plan: CallPlan,
    does: dict[str, str],
    met: tuple[int, ...],
    becomes: tuple[str, str | None],
    rules: RuleSet,
) -> None:
    cast = Cast({name: (done,) for name, done in does.items()}, None)
    rehearsed = rehearse(INFO, the_plan, cast, rules)
    record = rehearsed.record
    assert (rehearsed.met, (record.disposition.value, record.answered_by)) == (met, becomes)
    talked = record.attempts and record.answered_by
    assert record.talk_seconds == (60.0 if talked else 0.0)


def test_time_passes_as_it_would(rules: RuleSet) -> None:
    cast = Cast({"anna": (NO_ANSWER,), "bo": (NO_ANSWER,)}, None)
    record = rehearse(INFO, plan(IN_TURN, GOODBYE), cast, rules).record
    assert [attempt.target for attempt in record.attempts] == [ANNA.name, BO.name]
    assert 40.0 <= record.wait_seconds < 41.0


def test_who_withholds_the_number_keys_one_in_to_be_called_back(rules: RuleSet) -> None:
    withheld = msgspec.structs.replace(INFO, caller="")
    record = rehearse(withheld, plan(Callback()), Cast({}, None), rules).record
    assert record.disposition.value == "callback_requested"
