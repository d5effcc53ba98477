"""Calls that come to harm (proof.py) as tests that `callrouter test` plays.

A test expects what the call comes to now, worked out by the call machine itself, so that it holds until the
rules are put right: then it says what has become of the call, and is given what it shall be.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from router.core.arrival import Arriving
from router.core.facts import Facts
from router.core.proof import Counterexample, Proof
from router.core.ruleset import RuleSet
from router.core.scenarios import QueueLoad, Supposing, suppose
from router.core.screening import matching
from router.core.times import Duration, Rate, read_from


def proof_as_scenarios(proof: Proof, rules: RuleSet) -> str:
    """The text of a `*.test.yaml` with every counterexample of `proof`, which is of `rules`."""
    lines = [
        "# What callers come to now, found by `callrouter check --prove`. Write what they shall come to."
    ]
    examples = [(one.warning, one.counterexample) for one in proof.findings if one.counterexample is not None]
    placed = any(can_be_placed(example.call, rules) for _, example in examples)
    lines.append("tests:" if placed else "tests: []")
    for warning, example in examples:
        lines.append(f"  # {warning}")
        lines += _scenario(f"{warning.file}:{warning.line}: {warning.what}", example, rules)
    return "\n".join([*lines, ""])


def _scenario(name: str, example: Counterexample, rules: RuleSet) -> Iterator[str]:
    call, zone = example.call, ZoneInfo(example.timezone)
    at = f"{call.now.astimezone(zone):%Y-%m-%d %H:%M}"
    arriving = Arriving(call.dialled, call.caller.raw or "anonymous", call.caller.name, call.variables)
    if not can_be_placed(call, rules):
        known = " or ".join(map(str, call.matches)) or "none of the regular expressions"
        yield f"  # There is no test of it: the caller matches {known}, and no such number is at hand."
        return
    given = {who: done[0] if len(done) == 1 else done for who, done in example.given}
    called = called_before(call)
    loads = {name: QueueLoad(load.waiting, load.agents) for name, load in call.queues.items()}
    supposing = Supposing(called, call.contact, loads)
    supposed = suppose(arriving, _as_read(at, zone), rules, dict(example.given), supposing)
    caller: dict[str, object] = {"to": arriving.dialled, "from": arriving.number, "at": at}
    if arriving.name:
        caller["display"] = arriving.name
    if call.variables:
        caller["variables"] = call.variables
    if called:
        caller["called"] = str(called)
    if call.contact is not None:
        caller["contact"] = sorted(call.contact.groups)
    if loads:
        caller["queues"] = {name: load._asdict() for name, load in loads.items()}
    expect = {
        "client": supposed.decision.client,
        "route": supposed.decision.route or "none",
        "steps": supposed.steps,
        "disposition": supposed.record.disposition.value,
    }
    # JSON is YAML, and needs no care with quotes.
    yield f"  - name: {json.dumps(name, ensure_ascii=False)}"
    yield f"    call: {json.dumps(caller, ensure_ascii=False)}"
    yield f"    given: {json.dumps(given, ensure_ascii=False)}"
    yield f"    expect: {json.dumps(expect, ensure_ascii=False)}"


def can_be_placed(call: Facts, rules: RuleSet) -> bool:
    """True if the caller matches what is supposed to be matched (space.py)."""
    owner = rules.numbers.find(call.did) if call.did else None
    found = matching(rules.clients[owner.client].screening, call.caller) if owner else ()
    return found == call.matches


def called_before(call: Facts) -> Rate | None:
    """The rate by which its earlier calls were spread (Rate.spread)."""
    if not call.calls_before:
        return None
    step = call.now - call.calls_before[-1]
    count = len(call.calls_before)
    return Rate(count, Duration(round(step.total_seconds() * (count + 1))))


def _as_read(at: str, zone: ZoneInfo) -> datetime:
    return read_from(at).replace(tzinfo=zone)
