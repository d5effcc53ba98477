"""Proof and decision agree: what never happens never does, and whom harm befalls is named."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from router.core.arrival import Arriving
from router.core.cast import PHONES
from router.core.counterexamples import called_before, can_be_placed
from router.core.decide import decide
from router.core.proof import prove
from router.core.record import Disposition
from router.core.scenarios import QueueLoad, Supposed, Supposing, suppose
from tests.properties.random_rules import START, calls, compiled, documents

SETTLED = (Disposition.ANSWERED, Disposition.MESSAGE_LEFT, Disposition.CALLBACK_REQUESTED)
CUT_OFF = "a caller can be cut off"


def cut_off(supposed: Supposed) -> bool:
    """Whether the steps ran out for a caller who has heard nothing since the call could last be settled."""
    if supposed.record.disposition in SETTLED:
        return False
    unheard = [step for step in supposed.steps if step not in ("tag", "set", "menu", "challenge")]
    return not unheard or unheard[-1] in ("ring", "queue", "message", "callback", "directory")


@settings(max_examples=30, deadline=None)
@given(documents(), st.data())
def test_what_never_happens_never_does(document: dict[str, Any], data: st.DataObject) -> None:
    rules = compiled(document)
    proof = prove(rules, START)
    assert proof is not None
    never = [str(one.warning) for one in proof.findings if one.counterexample is None]
    places = {one.warning.what for one in proof.findings if one.warning.what.startswith(CUT_OFF)}
    for _ in range(8):
        call = data.draw(calls(rules))
        decision = decide(rules, call)
        taker = (decision.route or "").removeprefix("exception ")
        denied = (f"`{taker}` takes no call", f"`{taker}` meets no call")
        assert not any(text in warning for warning in never for text in denied)
        outcome = data.draw(st.sampled_from(PHONES))
        given_all = dict.fromkeys(("kari", "ola", "PJSIP/100", "PJSIP/101", "+4790000001"), (outcome,))
        found = data.draw(st.sampled_from(("kari", "ola", "otherwise")))
        arriving = Arriving(call.dialled, call.caller.raw or "anonymous", call.caller.name)
        supposed = suppose(arriving, call.now, rules, given_all | {"directory": (found,)})
        if outcome != "answered" and cut_off(supposed):
            assert places, "somebody was cut off"


@settings(max_examples=60, deadline=None)
@given(documents(), st.data())
def test_a_block_rule_that_refuses_nobody_does_not(document: dict[str, Any], data: st.DataObject) -> None:
    rules = compiled(document)
    proof = prove(rules, START)
    assert proof is not None
    told = [one.warning.what for one in proof.findings]
    idle = {what.split("`")[1] for what in told if what.startswith("block rule")}
    for _ in range(8):
        call = data.draw(calls(rules))
        ages = sorted(data.draw(st.lists(st.integers(0, 7200), max_size=6)), reverse=True)
        before = tuple(call.now - timedelta(seconds=age) for age in ages if call.caller.number)
        values = st.sampled_from(["high", "low", "two"])
        variables = data.draw(st.dictionaries(st.sampled_from(["RISK", "TRUNK"]), values))
        decision = decide(rules, replace(call, calls_before=before, variables=variables))
        assert idle.isdisjoint(row.name for row in decision.trace if row.matched)


@settings(max_examples=30, deadline=None)
@given(documents())
def test_a_counterexample_is_one(document: dict[str, Any]) -> None:
    rules = compiled(document)
    proof = prove(rules, START)
    assert proof is not None
    assert proof.until == START + timedelta(days=400)
    for one in proof.findings:
        example = one.counterexample
        if example is None or not one.warning.what.startswith(CUT_OFF):
            continue
        call = example.call
        if not can_be_placed(call, rules):  # A regular expression is supposed to match that does not.
            continue
        caller = call.caller
        arriving = Arriving(call.dialled, caller.raw or "anonymous", caller.name, call.variables)
        loads = {name: QueueLoad(load.waiting, load.agents) for name, load in call.queues.items()}
        known = Supposing(called_before(call), call.contact, loads)
        supposed = suppose(arriving, call.now, rules, dict(example.given), known)
        assert cut_off(supposed)
        place, harmed = f"{one.warning.file}:{one.warning.line}", supposed.met[-1:]
        assert all(supposed.plan.nodes[at].place == place for at in harmed)
