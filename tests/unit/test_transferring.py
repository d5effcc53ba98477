"""Whom a caller meets who is given away, by the rules of that moment."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from router.core.call import CALLER, Call, Leg
from router.core.commands import FindTransfer
from router.core.contacts import Contact
from router.core.dialling import Dialling
from router.core.plan import CallPlan, Message, Ring, Say, Speak, Step
from router.core.record import Evidence
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.steps.asteriskqueue import LED as LED_ON
from router.core.steps.transfer import ASKED
from router.core.transferring import MOST, Ways, find_transfer
from tests.unit.story import ANNA, INFO

RULES = {
    "fjord.yaml": """\
client: fjord
name: Fjord
numbers: ["+47 22 33 44 55", "+47 22 33 44 56", "+47 22 33 44 57", "+47 22 33 44 58"]
timezone: Europe/Oslo
country: NO
hours: {never: {week: {}}, always: {week: {mon-sun: "00:00-24:00"}}}
people:
  kari: {rings: PJSIP/kari, extension: 101}
  ola: {rings: [PJSIP/ola, "+47 900 00 001"], extension: 102, numbers: "+47 22 33 44 62", hours: always}
  per: {rings: PJSIP/per, extension: 103, hours: never}
  liv: {rings: PJSIP/liv, numbers: "+47 22 33 44 64", do: [{ring: self}, {person: kari}, message]}
screening: {block: [{name: hidden, when: {caller: anonymous}}]}
queues: {desk: {agents: kari}}
last_resort: {say: Ingen er her.}
routes:
  - {name: box, when: {dialled: "+47 22 33 44 56"}, do: [message]}
  - {name: vip, when: {dialled: "+47 22 33 44 57", caller: {contact: vip}}, do: [{ring: kari}]}
  - {name: closed, when: {dialled: "+47 22 33 44 57"}, do: [decline]}
  - {name: queue, when: {dialled: "+47 22 33 44 58"}, do: [{queue: desk, for: 1m}, message]}
  - {name: main, do: [{say: Hei.}, {ring: ola}]}
""",
    "sund.yaml": """\
client: sund
name: Sund
numbers: "+47 23 00 00 00"
timezone: Europe/Oslo
country: NO
routes: [{name: main, do: [{ring: PJSIP/sund}]}]
""",
}
DIALLING = Dialling("PJSIP/{number}@trunk")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def rules() -> RuleSet:
    compiled = compile_rules(RULES, DIALLING)
    assert isinstance(compiled, RuleSet), compiled
    return compiled


RULE_SET = rules()


def a_call(
    times: int = 1, client: str | None = "fjord", caller: str = "+4790000001", by: str = ASKED
) -> Call:
    evidence = tuple(Evidence(NOW, by, 1) for _ in range(times))
    info = replace(INFO, client=client, caller=caller)
    return Call(info, CallPlan(()), (Leg(0, NOW, ANNA), Leg(1, NOW, ANNA)), evidence=evidence)


def in_words(step: Step) -> str:
    match step:
        case Ring(rounds):
            return "ring " + " then ".join("+".join(one.dial for one in targets) for targets in rounds)
        case Message():
            return "message"
        case Speak(text):
            return text
        case Say(media):
            return media
        case _:
            return type(step).__name__


def met(plan: CallPlan) -> list[str]:
    """What a caller meets whom nobody answers."""
    words, position = [], 0 if plan.nodes else None
    while position is not None:
        node = plan.nodes[position]
        words.append(in_words(node.step).strip())
        position = node.then
    return words


BACK = ["ring PJSIP/anna", "Ingen er her."]
LED: list[tuple[str, str, list[str]]] = [
    ("an extension", "101", ["ring PJSIP/kari", *BACK]),
    ("a person's own treatment", "102", ["ring PJSIP/ola+PJSIP/+4790000001@trunk", *BACK]),
    ("the person's own number", "22334462", ["ring PJSIP/ola+PJSIP/+4790000001@trunk", *BACK]),
    ("who leads to another", "+4722334464", ["ring PJSIP/liv", "ring PJSIP/kari", *BACK]),
    ("somebody outside the hours", "103", ["ring", *BACK]),
    ("a number of the client's", "+4722334455", ["Hei.", "ring PJSIP/ola+PJSIP/+4790000001@trunk", *BACK]),
    ("one where callers wait", "+4722334458", ["Queue", *BACK]),
    ("one that leads to a mailbox", "22334456", ["message"]),
    ("an outside number", "90000002", ["ring PJSIP/+4790000002@trunk", *BACK]),
    ("abroad as the trunk may", "004790000002", ["ring PJSIP/+4790000002@trunk", *BACK]),
]


@pytest.mark.parametrize(("to", "words"), [row[1:] for row in LED], ids=[row[0] for row in LED])
def test_who_is_met(to: str, words: list[str]) -> None:
    led = find_transfer(a_call(), FindTransfer(to, 1), Ways(RULE_SET, NOW))
    assert led.refused == ""
    assert met(led.plan)[: len(words)] == words


REFUSED: list[tuple[str, str, Call, str]] = [
    ("nobody", "999", a_call(), "nobody is there by the rules"),
    ("not allowed", "+15551234567", a_call(), "not among the allowed destinations"),
    ("premium", "+4782000000", a_call(), "premium"),
    ("another client's number", "+4723000000", a_call(), "nobody is there"),
    ("a number that refuses the caller", "22334455", a_call(caller=""), "nobody is there"),
    ("no number", "1@evil", a_call(), "this is no number"),
    ("a dial string", "Local/1@x", a_call(), "this is no number"),
    ("another call of the phone", "", a_call(), "callers are not put through to one another"),
    ("too often", "101", a_call(MOST + 1), "given away 3 times"),
]


@pytest.mark.parametrize(("to", "call", "why"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_who_is_not_rung(to: str, call: Call, why: str) -> None:
    led = find_transfer(call, FindTransfer(to, 1), Ways(RULE_SET, NOW))
    assert why in led.refused
    assert met(led.plan) == BACK


LED_OUT: list[tuple[str, str, Call, str, list[str]]] = [
    (
        "to a number",
        "+4722334455",
        a_call(0),
        "",
        ["ring PJSIP/ola+PJSIP/+4790000001@trunk", "Ingen er her."],
    ),
    ("to a person's own", "22334464", a_call(0), "",
     ["ring PJSIP/liv", "ring PJSIP/kari", "message", "Ingen er her."]),
    ("to a mailbox", "22334456", a_call(0), "", ["message", "Ingen er her."]),
    ("to a number that refuses the caller", "22334455", a_call(0, caller=""), "nobody is there",
     ["Ingen er her."]),
    ("to an extension", "101", a_call(0), "nobody is there", ["Ingen er her."]),
    ("outside", "90000002", a_call(0), "nobody is there", ["Ingen er her."]),
    ("to another client", "+4723000000", a_call(0), "nobody is there", ["Ingen er her."]),
    ("to no number", "Local/1@x", a_call(0), "this is no number", ["Ingen er her."]),
    ("too often", "101", a_call(MOST + 1, by=LED_ON), "given away 3 times", ["Ingen er her."]),
    ("out of a client that is no more", "101", a_call(0, client=None), "nobody is there", ["HangUp"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("to", "call", "why", "words"), [row[1:] for row in LED_OUT], ids=[row[0] for row in LED_OUT]
)
def test_who_is_led_out_of_a_queue_of_asterisks_own(to: str, call: Call, why: str, words: list[str]) -> None:
    led = find_transfer(call, FindTransfer(to, CALLER), Ways(RULE_SET, NOW))
    assert (why in led.refused, bool(led.refused)) == (True, bool(why))
    assert [one for one in met(led.plan) if one != "Hei."] == words


def test_a_contact_is_known_to_a_number_that_they_are_given_to() -> None:
    known = {("fjord", "+4790000001"): Contact(groups=frozenset({"vip"}))}
    ways = Ways(RULE_SET, NOW, contact_of=lambda *who: known.get(who))
    led = find_transfer(a_call(), FindTransfer("+4722334457", 1), ways)
    assert met(led.plan) == ["ring PJSIP/kari", *BACK]
    stranger = find_transfer(a_call(caller="+4790000002"), FindTransfer("+4722334457", 1), ways)
    assert met(stranger.plan)[0] == "Refuse"


def test_a_client_that_is_no_more() -> None:
    led = find_transfer(a_call(client=None), FindTransfer("101", 1), Ways(RULE_SET, NOW))
    assert (met(led.plan), led.refused) == (["ring PJSIP/anna"], "nobody is there by the rules")


def test_who_is_rung_outside_takes_the_call_by_a_key() -> None:
    led = find_transfer(a_call(), FindTransfer("90000002", 1), Ways(RULE_SET, NOW))
    step = led.plan.nodes[0].step
    assert isinstance(step, Ring)
    assert step.heard_by(step.rounds[0][0]) == (RULE_SET.clients["fjord"].take,)
