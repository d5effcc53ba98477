"""What rules and settings need of Asterisk: endpoints, sounds, modules."""

import pytest

from router.core.dialling import Dialling
from router.core.needs import (
    ASKED,
    EVERY_CALL,
    FETCHED,
    MUSIC,
    QUEUES,
    RECORDING,
    SUPERVISION,
    Endpoint,
    Feature,
    Named,
    agents_phones,
    deliveries,
    endpoint_of,
    endpoints_of,
    features,
    phones,
    sounds,
    supervisors_phones,
    trunk_of,
)
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet

DIALS: list[tuple[str, str, Endpoint | None]] = [
    ("a phone", "PJSIP/100", Endpoint("PJSIP", "100")),
    ("a number by a trunk", "PJSIP/+4790000001@trunk", Endpoint("PJSIP", "trunk")),
    ("a URI by a trunk", "PJSIP/trunk/sip:+47@sip.example:5060", Endpoint("PJSIP", "trunk")),
    ("another technology", "IAX2/office", Endpoint("IAX2", "office")),
    ("an extension of the dialplan", "Local/100@phones", None),
    ("no dial string", "100", None),
]


@pytest.mark.parametrize(("dial", "endpoint"), [row[1:] for row in DIALS], ids=[row[0] for row in DIALS])
def test_the_endpoint_of_a_dial_string(dial: str, endpoint: Endpoint | None) -> None:
    assert endpoint_of(dial) == endpoint


def test_several_at_once() -> None:
    found = endpoints_of("PJSIP/100&Local/1@x& PJSIP/101,30,r")
    assert list(map(str, found)) == ["PJSIP/100", "PJSIP/101"]


TRUNKS: list[tuple[str, str, str | None]] = [
    ("none", "", None),
    ("by name", "PJSIP/{number}@trunk", "PJSIP/trunk"),
    ("by URI", "PJSIP/out/sip:{number}@sip.example", "PJSIP/out"),
]


@pytest.mark.parametrize(("trunk", "endpoint"), [row[1:] for row in TRUNKS], ids=[row[0] for row in TRUNKS])
def test_the_endpoint_of_the_trunk(trunk: str, endpoint: str | None) -> None:
    found = trunk_of(trunk)
    assert (None if found is None else str(found)) == endpoint


HEAD = """\
client: fjord
name: Fjord
numbers: ["+4722334455"]
timezone: Europe/Oslo
country: NO
"""
PEOPLE = """\
people:
  kari: {rings: [PJSIP/101, "90000001"]}
  ola: {rings: PJSIP/102}
  eva: {rings: PJSIP/109}
queues:
  desk: {agents: [kari], supervisors: [eva], callback_key: 1}
messages: {mail: desk@fjord.example, webhook: "https://crm.example/in"}
"""
STEPS = """\
routes:
  - name: main
    do:
      - say: {file: hello}
      - say: {file: recorded/news}
      - {ring: [ola, PJSIP/7], order: all}
      - queue: desk
      - message
"""


def compiled(text: str) -> RuleSet:
    rules = compile_rules({"f.yaml": HEAD + text}, Dialling("PJSIP/{number}@trunk"))
    assert isinstance(rules, RuleSet), rules
    return rules


def test_what_is_rung_and_played() -> None:
    rules = compiled(PEOPLE + STEPS)
    assert phones(rules) == {
        "PJSIP/101": Named("kari", "f.yaml:7"),
        "PJSIP/102": Named("ola", "f.yaml:8"),
        "PJSIP/109": Named("eva", "f.yaml:9"),
        "PJSIP/7": Named("PJSIP/7", "f.yaml:18"),
    }
    assert agents_phones(rules) == {"PJSIP/101": Named("kari", "f.yaml:7")}
    assert supervisors_phones(rules) == {"PJSIP/109": Named("eva", "f.yaml:9")}
    assert sounds(rules) == {"hello": "f.yaml:16"}
    found = {place: delivery.webhook for delivery, place in deliveries(rules)}
    assert found == {"f.yaml:19": "https://crm.example/in", "f.yaml:20": "https://crm.example/in"}


FOLLOW_UPS = """\
follow_ups:
  - name: missed
    do: [{mail: [a@f.example]}, {webhook: "https://crm.example/a"}, {webhook: "https://crm.example/b"}]
tags: {lost: {do: {mail: b@f.example}}}
"""


def test_where_follow_ups_send_things() -> None:
    found = [delivery for delivery, _ in deliveries(compiled(FOLLOW_UPS + ROUTE.format("hangup")))]
    assert [one.webhook for one in found if one.webhook] == ["https://crm.example/a", "https://crm.example/b"]
    assert [one.mail for one in found if one.mail] == [("a@f.example",), ("b@f.example",)]


ROUTE = "routes: [{{name: main, do: [{0}]}}]\n"
WANTED: list[tuple[str, str, set[str]]] = [
    ("nothing more", ROUTE.format("hangup"), set()),
    ("a message", ROUTE.format("message"), {RECORDING.what}),
    ("a phone", ROUTE.format("{ring: PJSIP/1}"), set()),
    ("music", "while_ringing: music\n" + ROUTE.format("{ring: PJSIP/1}"), {MUSIC.what}),
    ("a queue", PEOPLE + ROUTE.format("{queue: desk}"), {MUSIC.what, SUPERVISION.what}),
    ("a queue of Asterisk's", ROUTE.format("{queue: {asterisk: support}}"), {QUEUES.what}),
]


@pytest.mark.parametrize(("text", "more"), [row[1:] for row in WANTED], ids=[row[0] for row in WANTED])
def test_modules_by_what_rules_do(text: str, more: set[str]) -> None:
    always = features(None, fetched=False)
    found = features(compiled(text), fetched=False)
    assert found[: len(always)] == always
    assert {feature.what for feature in found[len(always) :]} == more


def test_modules_where_prompts_are_fetched() -> None:
    found: list[Feature] = features(None, fetched=True)
    assert found[0] == EVERY_CALL
    assert FETCHED in found
    assert FETCHED not in features(None, fetched=False)


def test_modules_where_a_dialplan_asks() -> None:
    assert features(None, fetched=False, asked=True) == [*features(None, fetched=False), ASKED]
    assert {"res_agi", "app_stack"} <= set(ASKED.modules)
