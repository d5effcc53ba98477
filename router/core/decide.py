"""decide: rules and facts -> what the caller will meet, and why.

In this order: the client by the number dialled; its screening, where `allow` outranks every block; a person's
own number; the routes, first match in file order; else the client's last resort. Plans lie ready, so a
decision only picks one, and takes out people who are outside their hours.
"""

from collections.abc import Callable
from datetime import datetime

import msgspec

from router.core.conditions import Failure, Moment
from router.core.facts import Facts
from router.core.layout import Layout
from router.core.plan import CallPlan, PlanNode, Refuse, after_challenge, told_first
from router.core.ruleset import ClientRules, RuleSet
from router.core.screening import is_challenge, screen
from router.core.trace import TraceRow


class Decision(msgspec.Struct, frozen=True):
    """What was decided for one call. It encodes to JSON and back."""

    plan: CallPlan
    trace: tuple[TraceRow, ...]
    client: str | None
    route: str | None
    """Its name, or `exception TITLE`; None where neither took the call: blocked, a person's own number, or no
    route."""
    version: str
    """Of the rules."""
    now: datetime
    timezone: str
    """The client's; UTC where there is no client."""
    caller: str
    """Masked."""
    dialled: str


UNKNOWN_NUMBER = CallPlan((PlanNode(Refuse("unknown_number")),), no_route=True)


def decide(rules: RuleSet, facts: Facts) -> Decision:
    """The plan for one call, with its trace. Never fails: every call has a plan."""
    owner = rules.numbers.find(facts.did) if facts.did is not None else None
    if owner is None:
        row = TraceRow("client", "", "", False)
        return _decision(rules, facts, UNKNOWN_NUMBER, [row])
    client = rules.clients[owner.client]
    trace = [TraceRow("client", client.id, client.place, True, timezone=client.timezone)]
    moment = Moment(facts, client.hours)
    blocked = screen(client.screening, moment, trace)
    if blocked is not None and not is_challenge(blocked):
        return _decision(rules, facts, blocked, trace, client)
    plan, route = _routed(client, owner.person, moment, trace)
    if blocked is not None:
        plan = after_challenge(blocked, plan)
    return _decision(rules, facts, plan, trace, client, route)


def _routed(
    client: ClientRules, person: str | None, moment: Moment, trace: list[TraceRow]
) -> tuple[CallPlan, str | None]:
    """The plan of a caller who is not refused, and what of the rules took the call."""
    own = client.people[person].own if person is not None else None
    if own is not None:
        trace.append(TraceRow("own number", own.name, own.place, True))
        return _present(client, own.layout, moment, trace), None
    said: list[PlanNode] = []
    for exception in client.exceptions:
        holds = exception.when.holds(moment)
        passed_over = () if holds else (exception.when.failure,)
        trace.append(TraceRow("exception", exception.title, exception.place, holds, passed_over))
        if holds and exception.say is not None:
            said.append(exception.say)
        if holds and exception.layout is not None:
            plan = _present(client, exception.layout, moment, trace)
            return told_first(tuple(said), plan), f"exception {exception.title}"
    for route in client.routes:
        row = route.look(moment)
        trace.append(row)
        if row.matched:
            return told_first(tuple(said), _present(client, route.layout, moment, trace)), route.name
    trace.append(TraceRow("no route", "", client.place, True))
    return told_first(tuple(said), _present(client, client.no_route, moment, trace)), None


def _present(client: ClientRules, layout: Layout, moment: Moment, trace: list[TraceRow]) -> CallPlan:
    """The plan without people who are outside their hours."""
    away = absent(client, layout, moment.is_open)
    for name, hours in away:
        failed = (Failure("open", (hours,)),)
        trace.append(TraceRow("person", name, client.people[name].place, False, failed))
    return layout.present({name for name, _ in away}, moment.facts.turn)


def absent(client: ClientRules, layout: Layout, is_open: Callable[[str], bool]) -> list[tuple[str, str]]:
    """The people of a plan who are outside their hours, and which those are."""
    within = ((name, client.people[name].hours) for name in layout.people)
    return [(name, hours) for name, hours in within if hours is not None and not is_open(hours)]


def _decision(
    rules: RuleSet,
    facts: Facts,
    plan: CallPlan,
    trace: list[TraceRow],
    client: ClientRules | None = None,
    route: str | None = None,
) -> Decision:
    return Decision(
        plan,
        tuple(trace),
        client.id if client else None,
        route,
        rules.version,
        facts.now,
        client.timezone if client else "UTC",
        facts.caller.masked,
        facts.dialled,
    )
