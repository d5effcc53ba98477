"""Random rules, small but with everything in them that a decision looks at, and random calls to them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from router.core.arrival import Arriving, read_facts
from router.core.contacts import in_groups
from router.core.dialling import Dialling
from router.core.facts import Facts
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.space import Known

START = datetime(2026, 10, 24, 21, 17, tzinfo=UTC)
"""Shortly before clocks go back in Oslo."""
DAYS = 5

DIALLED = ["+4722334455", "+4722334460", "+4722334461", "+4722334469"]
_REGEXES = [
    *({"regex": text} for text in ("^\\+4781549[0-9]{3}$", "^\\+4[67]")),
    {"display": "(?i)free offer"},
]
_DIALLED_PATTERNS = [*DIALLED, "+472233446x", "+4722*", "+47223344x1", "+47*"]
_CALLER_PATTERNS = ["+4781549xxx", "+4722*", "+47x2334455", "+4722334455", "+46*", "+442079460xxx", "+*"]
_CALLERS = [
    *("", "17", "+4722334455", "+4732334455", "+4722999999", "+4781549001", "+46701234567", "+442079460123"),
    *("+4791234567", "+4779123456", "+447781123456", "+12015550123", "+12425550123", "+8613912345678"),
]
_NAMES = ["", "Kari Nordmann", "FREE OFFER", "a free offer of Kari"]
_COUNTRIES = ["NO", "SE", "GB", "GG", "US", "SJ"]
_SPANS = ["08:00-16:00", "22:00-03:00", "02:15-02:45", "00:00-24:00", "09:00-12:00 13:00-15:30"]
_PHONES = ["PJSIP/100", "PJSIP/101", "+4790000001"]


def _lists(of: st.SearchStrategy[Any], most: int = 2) -> st.SearchStrategy[list[Any]]:
    return st.lists(of, min_size=1, max_size=most, unique_by=json.dumps)


_hours_names = _lists(st.sampled_from(["office", "night"]))
_moments = st.integers(0, DAYS * 24 * 2).map(
    lambda halves: f"{datetime(2026, 10, 24) + timedelta(minutes=30 * halves):%Y-%m-%d %H:%M}"  # noqa: DTZ001 - by a clock
)
_periods = st.tuples(_moments, _moments).filter(lambda ends: ends[0] < ends[1]).map(list)
_rarely = st.fixed_dictionaries(
    {"agents": st.just({"desk": "0"})}, optional={"caller": st.just({"contact": "vip"})}
)
_mostly = st.fixed_dictionaries(
    {},
    optional={
        "variable": st.sampled_from([{"RISK": ["high", "low"]}, {"RISK": ["low"], "TRUNK": ["two"]}]),
        "open": _hours_names,
        "closed": _hours_names,
        "caller": _lists(
            st.one_of(
                st.sampled_from([*_CALLER_PATTERNS, "anonymous"]),
                _lists(st.sampled_from(_COUNTRIES)).map(lambda codes: {"country": codes}),
                _lists(st.sampled_from("ABC")).map(lambda levels: {"attestation": levels}),
            )
        ),
        "dialled": _lists(st.sampled_from(_DIALLED_PATTERNS)),
        "between": _periods,
    },
).filter(bool)
_conditions = st.one_of(*[_mostly] * 9, _rarely)
_whens = st.one_of(
    _conditions,
    _lists(_conditions),
    _conditions.map(lambda when: {"not": when}),
    st.tuples(_conditions, _conditions).map(lambda pair: {**pair[0], "not": pair[1]}),
)
_plain = st.sampled_from(
    [{"say": {"file": "a"}}, {"say": {"file": "b"}}, "hangup", "decline", {"goto": "last"}, {"person": "ola"}]
)
_rings = st.builds(
    lambda who, order, on: {"ring": who, "order": order, "for": "20s", "on": on},
    _lists(st.sampled_from([*_PHONES, "kari", "ola"]), 3),
    st.sampled_from(["all", "in-turn", "rotate"]),
    st.dictionaries(
        st.sampled_from(["busy", "no_answer", "unreachable"]), st.lists(_plain, max_size=1), max_size=2
    ),
)
_others = st.one_of(
    st.sampled_from(["message", "callback", "directory", {"tag": "interested"}, {"set": {"A": "1"}}]),
    st.builds(
        lambda on, front: {"queue": "desk", "front": front, "on": on},
        st.dictionaries(
            st.sampled_from(["full", "empty", "timeout"]), st.lists(_plain, max_size=1), max_size=2
        ),
        st.booleans(),
    ),
    st.builds(
        lambda on, answer: {"queue": {"asterisk": "support", "answer": answer}, "for": "1m", "on": on},
        st.dictionaries(
            st.sampled_from(["full", "left", "failed"]), st.lists(_plain, max_size=1), max_size=2
        ),
        st.booleans(),
    ),
    st.builds(
        lambda choices, otherwise: {"menu": {"choices": choices, "otherwise": otherwise}},
        st.dictionaries(st.sampled_from("12"), st.lists(_plain | _rings, max_size=2), min_size=1),
        st.lists(_plain, max_size=1),
    ),
)
_steps = st.lists(st.one_of(_rings, _plain, _others), max_size=3)
_hours = st.fixed_dictionaries(
    {"week": st.dictionaries(st.sampled_from(["mon-fri", "sat", "sun"]), st.sampled_from(_SPANS))},
    optional={"dates": st.just({"2026-10-26": "10:00-11:00"}), "holidays": st.just("NO")},
)


_routes = st.fixed_dictionaries({"do": _steps}, optional={"when": _whens})
_last_route = st.fixed_dictionaries(
    {"do": st.lists(_rings.map(lambda ring: {**ring, "on": {}}), max_size=2)}, optional={"when": _whens}
)
_block_rules = st.fixed_dictionaries(
    {},
    optional={
        "numbers": _lists(st.sampled_from([*_CALLER_PATTERNS, *_REGEXES]), 3),
        "when": _whens,
        "more_than": st.sampled_from(["2 calls in 10m", "5 calls in 1h"]),
        "until": _moments,
        "shadow": st.booleans(),
    },
).filter(lambda rule: rule.keys() & {"numbers", "when", "more_than"})
_exceptions = st.builds(
    lambda ends, number, more: {
        "title": f"e{number}",
        "from": ends[0],
        "until": ends[1],
        "owner": "kari",
        **more,
    },
    _periods,
    st.integers(0, 99),
    st.sampled_from([{"say": {"file": "e"}}, {"do": [{"ring": "kari"}]}, {"do": "hangup"}]),
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """One client's document, as written."""
    routes = [
        {"name": f"r{number}", **route} for number, route in enumerate(draw(st.lists(_routes, max_size=3)))
    ]
    return {
        "client": "fjord",
        "name": "Fjord",
        "numbers": ["+4722334455", "+472233446x"],
        "timezone": draw(st.sampled_from(["Europe/Oslo", "Asia/Kathmandu"])),
        "country": "NO",
        "hours": {"office": draw(_hours), "night": draw(_hours)},
        "screening": {
            "allow": draw(st.just([]) | _lists(st.sampled_from([*_CALLER_PATTERNS[:-1], *_REGEXES]))),
            "block": [
                {"name": f"b{number}", **rule}
                for number, rule in enumerate(draw(st.lists(_block_rules, max_size=2)))
            ],
            "treatment": draw(st.sampled_from(["decline", "busy", {"challenge": "Press the key"}])),
        },
        "queues": {"desk": {"agents": ["kari", "ola"]}},
        "exceptions": draw(st.lists(_exceptions, max_size=2)),
        "people": {
            "kari": {"name": "Kari", "rings": ["PJSIP/1"], "numbers": ["+4722334461"], "hours": "office"},
            "ola": {
                "extension": "102",
                "rings": ["PJSIP/2", "PJSIP/3"],
                "do": [{"ring": "self", "for": "10s"}],
            },
        },
        "routes": [*routes, {"name": "last", **draw(_last_route)}],
        "last_resort": draw(st.sampled_from([[], [{"say": {"file": "sorry"}}]])),
    }


def with_known(call: Facts, known: Known) -> Facts:
    """The call with what else is known of it."""
    before = known.called.spread(call.now) if known.called and call.caller.number else ()
    matches = known.matched_by(call.caller)
    return replace(
        call,
        variables=known.variables,
        calls_before=before,
        matches=matches,
        contact=in_groups(known.contact) if call.caller.number else None,
        queues=known.queues,
    )


def compiled(document: dict[str, Any]) -> RuleSet:
    rules = compile_rules({"fjord.yaml": json.dumps(document)}, Dialling("PJSIP/{number}@trunk"))
    assert isinstance(rules, RuleSet), rules
    return rules


@st.composite
def calls(draw: st.DrawFn, rules: RuleSet) -> Facts:
    """One call, at any second of the days from START on."""
    moment = START + timedelta(seconds=draw(st.integers(0, DAYS * 86400 - 1)))
    caller, name = draw(st.sampled_from(_CALLERS)), draw(st.sampled_from(_NAMES))
    arriving = Arriving(draw(st.sampled_from(DIALLED)), caller, name)
    return read_facts(arriving, rules, moment, draw(st.integers(0, 3)))
