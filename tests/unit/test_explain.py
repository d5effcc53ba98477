"""A decision's trace in words."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec.structs import replace

from router.core.arrival import make_info
from router.core.decide import Decision, decide
from router.core.dialling import Dialling
from router.core.explain import explain, explain_stored
from router.core.facts import Facts
from router.core.numbers import CallerId, PhoneNumber
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from tests.unit.story import INFO

RULES = """\
client: fjord
name: Fjord Legesenter
numbers: ["+4722334455", "+4722334456"]
timezone: Europe/Oslo
country: NO
hours: {office: {week: {mon-fri: "08:00-16:00"}}, late: {week: {mon-fri: "10:00-20:00"}}}
screening:
  allow: "+4790000002"
  block: [{name: spam, numbers: "+479*"}]
people:
  kari: {rings: PJSIP/101, hours: office, numbers: "22334457"}
routes:
  - {name: night, when: {closed: [office, late]}, do: decline}
  - {name: closed, when: {closed: office}, do: decline}
  - {name: late, when: {open: late, caller: [anonymous, "+46*", {country: [DK]}]}, do: {ring: kari}}
  - name: others
    when: [{open: office, dialled: "+4722334456"}, {not: {open: office, caller: "+4722*"}}]
    do: {ring: kari}
"""
CLIENT = "f.yaml:1: client fjord has +4722334455"
UNBLOCKED = "f.yaml:9: block spam: passed over; the caller +47220***00 is none of its numbers"
FRIDAY = "2026-11-20T10:12+01:00"

TOLD = [
    ("no client", "+4790000000", "+4722000000", FRIDAY, ["no client has +4790000000"]),
    (
        "blocked",
        "+4722334455",
        "+4790000001",
        FRIDAY,
        [CLIENT, "f.yaml:9: block spam: the caller +47900***01 is refused (+479*)"],
    ),
    (
        "no route",
        "+4722334455",
        "+4722000000",
        FRIDAY,
        [
            CLIENT,
            UNBLOCKED,
            "f.yaml:13: route night: passed over; closed: office or late — all are open (Fri 10:12 "
            "Europe/Oslo)",
            "f.yaml:14: route closed: passed over; closed: office — it is open (Fri 10:12 Europe/Oslo)",
            "f.yaml:15: route late: passed over; caller: +46* or DK or anonymous — the caller is +47220***00",
            "f.yaml:16: route others: passed over; dialled: +4722334456 — +4722334455 was dialled; "
            "not: open: office, caller: +4722* — that holds",
            "f.yaml:1: no route took the call: last resort",
        ],
    ),
    (
        "allowed",
        "+4722334455",
        "+4790000002",
        "2026-11-20T17:00+01:00",
        [
            CLIENT,
            "f.yaml:8: allow +4790000002: the caller +47900***02 is not screened",
            "f.yaml:13: route night: taken",
        ],
    ),
    (
        "somebody outside their hours",
        "+4722334457",
        "+4722000000",
        "2026-11-22T10:00+01:00",
        [
            "f.yaml:1: client fjord has +4722334457",
            UNBLOCKED,
            "f.yaml:11: +4722334457 is kari's own number",
            "f.yaml:11: person kari: not rung; open: office — it is closed (Sun 10:00 Europe/Oslo)",
        ],
    ),
]


@pytest.mark.parametrize(
    ("to", "caller", "at", "lines"), [row[1:] for row in TOLD], ids=[row[0] for row in TOLD]
)
def test_every_step_of_a_decision_is_told(to: str, caller: str, at: str, lines: list[str]) -> None:
    rules = compile_rules({"f.yaml": RULES}, Dialling())
    assert isinstance(rules, RuleSet), rules
    now = datetime.fromisoformat(at).astimezone(ZoneInfo("UTC"))
    facts = Facts(now, to, PhoneNumber.parse(to), CallerId.read(caller, "", "NO"))
    decision = decide(rules, facts)
    stored = msgspec.json.decode(msgspec.json.encode(decision), type=Decision)
    assert list(explain(stored)) == lines
    info = make_info(("asterisk", "2026-11-20", "1.1"), facts, decision)
    trace = msgspec.json.encode(decision.trace)
    assert list(explain_stored(trace, replace(info, caller=decision.caller))) == lines


def test_a_trace_that_is_not_stored_or_of_another_version() -> None:
    assert explain_stored(None, INFO) == ()
    of_another = b'[{"kind":"oracle","name":"main","place":"","matched":true,"failed":[]}]'
    assert explain_stored(of_another, INFO) == ("kind oracle, name main, matched True",)
    unknown = b'[{"kind":"no route","name":"","place":"","matched":true}]'
    assert explain_stored(unknown, replace(INFO, caller="")) == ("no route took the call: last resort",)
