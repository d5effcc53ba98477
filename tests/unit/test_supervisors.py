"""Who may supervise whom, by the rules."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from router.core.agents import AgentId, QueueId
from router.core.call import CALLER, THE_CALLER, Call, CallState, Leg, Queueing, Talking
from router.core.dialling import Dialling
from router.core.plan import CallPlan, PlanNode, Queue, Target
from router.core.record import CallInfo
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.supervision import Refusal, Talk
from router.core.supervisors import number_of, owner_of, permits, speech_of, talk_of, wanted

NOW = datetime(2026, 11, 27, 10, tzinfo=UTC)
FJORD = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
language: nb
people:
  kari: {rings: PJSIP/100}
  ola: {rings: [PJSIP/office-1, PJSIP/101], extension: 7}
  lise: {rings: PJSIP/lise}
  mia: {rings: [PJSIP/103, "+4790000003"]}
  far: {rings: "+4790000004"}
queues:
  desk: {agents: [kari, lise], supervisors: [mia, ola], tiers: {after: 1m, agents: ola}}
  back: {agents: ola}
last_resort: [{queue: desk}, {queue: back}]
"""
SUND = """\
client: sund
name: Sund
numbers: "+4722334466"
timezone: Europe/Oslo
country: NO
language: da
tone: informal
people:
  per: {rings: PJSIP/100}
  chief: {rings: PJSIP/103}
queues: {desk: {agents: per, supervisors: chief}}
last_resort: [{queue: desk}]
"""
DESK, BACK, SUNDS = QueueId("fjord", "desk"), QueueId("fjord", "back"), QueueId("sund", "desk")
KARI, OLA, PER = AgentId("fjord", "kari"), AgentId("fjord", "ola"), AgentId("sund", "per")


def rules(*texts: str) -> RuleSet:
    files = {f"{number}.yaml": text for number, text in enumerate(texts)}
    compiled = compile_rules(files, Dialling("PJSIP/{number}@trunk"))
    assert isinstance(compiled, RuleSet), compiled
    return compiled


BOTH = rules(FJORD, SUND)
PERMITTED: list[tuple[str, str, Mapping[QueueId, str]]] = [
    ("of two clients", "PJSIP/103", {DESK: "mia", SUNDS: "chief"}),
    ("an agent who supervises others", "PJSIP/101", {DESK: "ola"}),
    ("an agent", "PJSIP/100", {}),
    ("nobody here", "PJSIP/999", {}),
    ("what is only like a phone", "Local/103", {}),
]


@pytest.mark.parametrize(
    ("phone", "found"), [row[1:] for row in PERMITTED], ids=[row[0] for row in PERMITTED]
)
def test_a_phone_may_what_those_may_whom_it_rings(phone: str, found: Mapping[QueueId, str]) -> None:
    assert permits(BOTH, phone) == found


def test_without_supervisors_nobody_may() -> None:
    none = rules(FJORD.replace(", supervisors: [mia, ola]", ""))
    assert [permits(none, f"PJSIP/{number}") for number in (100, 101, 103)] == [{}] * 3


WANTED: list[tuple[str, str, str, frozenset[AgentId] | Refusal]] = [
    ("anybody", "PJSIP/103", "", frozenset()),
    ("by the phone's digits, of two clients", "PJSIP/103", "100", frozenset({KARI, PER})),
    ("by the extension", "PJSIP/103", "7", frozenset({OLA})),
    ("not by the digits of who has an extension", "PJSIP/103", "101", Refusal.NO_SUCH_AGENT),
    ("nobody", "PJSIP/103", "999", Refusal.NO_SUCH_AGENT),
    ("somebody who is no agent", "PJSIP/103", "103", Refusal.NO_SUCH_AGENT),
    ("from a phone that may not", "PJSIP/100", "7", Refusal.NOT_PERMITTED),
]


@pytest.mark.parametrize(
    ("phone", "number", "found"), [row[1:] for row in WANTED], ids=[row[0] for row in WANTED]
)
def test_whose_talks_are_wanted(phone: str, number: str, found: frozenset[AgentId] | Refusal) -> None:
    assert wanted(BOTH, permits(BOTH, phone), number) == found


def test_an_agent_of_another_queue_is_not_permitted() -> None:
    only_sund = rules(FJORD.replace("supervisors: [mia, ola], ", ""), SUND)
    assert wanted(only_sund, permits(only_sund, "PJSIP/103"), "7") is Refusal.NOT_PERMITTED


def test_short_numbers() -> None:
    people = BOTH.clients["fjord"].people
    assert {name: number_of(people[name]) for name in people} == {
        "kari": "100",
        "ola": "7",
        "lise": "",
        "mia": "103",
        "far": "",
    }


SPEECH = [
    ("whose talks may be heard", "PJSIP/103", ("nb", "formal")),
    ("whose phone it is", "PJSIP/office-1", ("nb", "formal")),
    ("anybody", "PJSIP/999", ("nb", "formal")),
]


@pytest.mark.parametrize(("phone", "speech"), [row[1:] for row in SPEECH], ids=[row[0] for row in SPEECH])
def test_how_they_are_spoken_to(phone: str, speech: tuple[str, str]) -> None:
    assert speech_of(BOTH, phone, permits(BOTH, phone)) == speech


def test_without_queues_it_is_said_in_english() -> None:
    text = FJORD.partition("queues:")[0] + "last_resort: [hangup]\n"
    assert speech_of(rules(text), "PJSIP/100", {}) == ("en", "formal")


def test_whose_phone_was_refused() -> None:
    assert owner_of(BOTH, "PJSIP/100", {}) == ("fjord", "kari")
    assert owner_of(BOTH, "PJSIP/103", permits(BOTH, "PJSIP/103")) == ("fjord", "mia")
    assert owner_of(BOTH, "PJSIP/999", {}) == ("", "")


def a_talk(queue: str, agent: str = "kari", dial: str = "PJSIP/100", state: CallState | None = None) -> Call:
    info = CallInfo("c", "a", "s", "in.1", "+4722334455", "", "fjord", None, "v", NOW)
    legs = (Leg(CALLER, NOW, THE_CALLER), Leg(1, NOW, Target(agent, dial)))
    plan = CallPlan((PlanNode(Queue(queue, (agent,), 60.0)),))
    there = state or Talking(1)
    return Call(info, plan, legs, there, met=(0,), partner=1, agent=agent, talk_began=NOW)


HEARD: list[tuple[str, Call, str, Talk | None]] = [
    ("one of the queue", a_talk("desk"), "PJSIP/103", Talk(NOW, "c", KARI, "100", "c-l1", "mia")),
    ("one of another queue", a_talk("back", "ola", "PJSIP/101"), "PJSIP/103", None),
    ("from a phone that may not", a_talk("desk"), "PJSIP/100", None),
    ("one's own", a_talk("desk", "ola", "PJSIP/101"), "PJSIP/101", None),
    ("a colleague's", a_talk("desk"), "PJSIP/101", Talk(NOW, "c", KARI, "100", "c-l1", "ola")),
    ("not begun", a_talk("desk", state=Queueing(NOW)), "PJSIP/103", None),
    ("nobody's", a_talk("desk", ""), "PJSIP/103", None),
]


@pytest.mark.parametrize(("call", "phone", "talk"), [row[1:] for row in HEARD], ids=[row[0] for row in HEARD])
def test_which_talks_may_be_heard(call: Call, phone: str, talk: Talk | None) -> None:
    def channel(leg: int) -> str:
        return f"c-l{leg}"

    assert talk_of(call, channel, BOTH, permits(BOTH, phone), phone) == talk


def test_a_supervisor_who_cannot_be_known_is_told_of() -> None:
    found = rules(FJORD.replace("[mia, ola]", "far"))
    [warned] = [one for one in found.warnings if "supervisor" in one.what]
    assert warned.what == "`far` has no phone here by which they are known as a supervisor"
    assert "far" not in "".join(one.what for one in rules(FJORD.replace("[mia, ola]", "mia")).warnings
                                if "supervisor" in one.what)  # fmt: skip
