"""`callrouter diff`: what callers will meet otherwise by other rules, and what is done after their calls."""

import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
import typer

from router.cli.check import print_missing, print_remarks
from router.cli.options import FAILED, WRONG, Config, Json, Rules, read_settings, rules_file
from router.core.decide import Decision
from router.core.difference import Comparison, Difference, compare
from router.core.explain import explain
from router.core.followupchanges import OtherFollowUp
from router.core.plan import ENDS, CallPlan
from router.core.remarks import RuleErrors
from router.core.ruleset import RuleSet
from router.core.show import step_in_words
from router.core.space import NOTHING
from router.core.times import Period
from router.edge.revision import RevisionError, rules_at
from router.settings import Settings

DAYS = 400
"""How far ahead rules are compared: over a year, so that every day of one is met."""
MOST_DAYS = 4000
FIRST = 3
"""So many periods are named; of more, how many there are."""


def diff(
    old: Annotated[str, typer.Argument(help="A directory, a file, or a git revision such as HEAD~1.")],
    new: Annotated[
        str | None, typer.Argument(help="The same; else the rules in use.", show_default=False)
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=MOST_DAYS, help="Compare so many days from now on.")] = DAYS,
    names: Annotated[
        bool, typer.Option("--names", help="Tell also where only a route's name is another.")
    ] = False,
    rules: Rules = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Tell what callers meet otherwise by the NEW rules than by the OLD (which numbers, callers and times),
    and what is done otherwise after their calls.

    It is the meaning that is compared: what is only written otherwise does not differ. Exit status 0 if both
    mean the same, 1 if not, 2 if they cannot be compared.
    """
    settings = read_settings(config)
    in_use = rules or settings.rules
    before, after = (_load(what, in_use, settings) for what in (old, new or str(in_use)))
    # Whole minutes, as administrators write them: an example can be given to `explain` as it is told.
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    found = compare(before, after, now, now + timedelta(days=days))
    told = [one for one in found.differences if names or not one.only_names]
    if as_json:
        for one in told:
            typer.echo(msgspec.json.encode(_as_object(one)).decode())
        for other in found.follow_ups:
            typer.echo(msgspec.json.encode(_as_follow_up(other)).decode())
        typer.echo(msgspec.json.encode(_summary(found)).decode())
    else:
        typer.echo("\n".join(_lines(found, told)))
    if not found.same:
        raise typer.Exit(FAILED)


def _load(what: str, in_use: Path, settings: Settings) -> RuleSet:
    """The rules that `what` names; ends the command if there are none. A path wins over a revision."""
    with ExitStack() as stack:
        source = rules_file(settings, Path(what))
        if not source.path.exists():
            try:
                source = stack.enter_context(rules_at(what, in_use, source))
            except RevisionError as error:
                typer.echo(str(error), err=True)
                raise typer.Exit(WRONG) from error
        outcome = source.load()
    if isinstance(outcome, RuleErrors):
        print_remarks(outcome.errors)
        raise typer.Exit(WRONG)
    print_missing(outcome)
    return outcome


def _summary(found: Comparison) -> dict[str, object]:
    return {
        "same": found.same,
        "from": found.period.start,
        "until": found.period.end,
        "new_clients": found.new,
        "gone_clients": found.gone,
    }


def _as_object(one: Difference) -> dict[str, object]:
    caller = one.example.caller
    return {
        "client_before": one.clients[0],
        "client_after": one.clients[1],
        "dialled": one.dialled,
        "callers": one.callers,
        "periods": one.periods,
        "known": str(one.known) if one.known else None,
        "only_names": one.only_names,
        "example": {
            "to": one.example.dialled,
            "from": caller.raw or "anonymous",
            "display": caller.name,
            "at": one.example.now,
            "before": _side(one.before),
            "after": _side(one.after),
        },
    }


def _as_follow_up(other: OtherFollowUp) -> dict[str, object]:
    return {
        "client": other.client,
        "follow_up": other.name,
        "before": other.before or None,
        "after": other.after or None,
    }


def _side(decision: Decision) -> dict[str, object]:
    return {
        "route": decision.route,
        "blocked_by": decision.plan.blocked_by,
        "plan": list(_plan_lines(decision.plan)),
        "trace": explain(decision),
    }


def _lines(found: Comparison, told: list[Difference]) -> Iterator[str]:
    yield from (f"client {client} is new" for client in found.new)
    yield from (f"client {client} is gone" for client in found.gone)
    for one in told:
        yield from _told(one, found.period)
    for other in found.follow_ups:
        yield f"{other.client}: follow-up {other.name}"
        if other.before == other.after:
            yield f"  {other.before}; of other hours, or in another language"
        else:
            yield from (f"  before: {other.before or 'none'}", f"  after: {other.after or 'none'}")
    last = f"{found.period.end:%Y-%m-%d}"
    differ = sum(not one.only_names for one in told) + len(found.follow_ups)
    yield f"until {last}, both mean the same" if found.same else f"until {last}, {differ} difference(s)"


def _told(one: Difference, whole: Period) -> Iterator[str]:
    zone = ZoneInfo((one.after if one.after.client else one.before).timezone)
    names = ", only by another name" if one.only_names else ""
    yield f"{_whose(one)}: {'; '.join(map(str, one.dialled))}{names}"
    yield f"  from: {one.callers}"
    yield f"  when: {_when(one.periods, whole, zone)}"
    if one.known is not None:
        yield f"  known: {one.known}"
    at = f"{one.example.now.astimezone(zone):%Y-%m-%d %H:%M}"
    caller, name = one.example.caller.raw or "anonymous", one.example.caller.name
    known = one.known or NOTHING
    words = ["--to", one.example.dialled, "--from", caller, "--at", at]
    words += ["--display", name] if name else []
    for variable, value in known.variables.items():
        words += ["--variable", f"{variable}={value}"]
    words += ["--called", str(known.called)] if known.called else []
    for group in sorted(known.contact or ()):
        words += ["--contact", group]
    for queue, load in known.queues.items():
        words += ["--queue", f"{queue}={load.waiting}/{load.agents}"]
    yield f"  for example {shlex.join(words)}"
    for side, decision in (("before", one.before), ("after", one.after)):
        yield f"    {side}:"
        yield from (f"      {line}" for line in explain(decision))
        yield from (f"      {line}" for line in _plan_lines(decision.plan))


def _whose(one: Difference) -> str:
    before, after = (client or "nobody" for client in one.clients)
    return before if before == after else f"{before} before, {after} after"


def _when(periods: tuple[Period, ...], whole: Period, zone: ZoneInfo) -> str:
    if periods == (whole,):
        return "at any time"
    first = ", ".join(_span(period, zone) for period in periods[:FIRST])
    more = len(periods) - FIRST
    return first + (f", and {more} more; the last {_span(periods[-1], zone)}" if more > 0 else "")


def _span(period: Period, zone: ZoneInfo) -> str:
    start, end = (at.astimezone(zone) for at in (period.start, period.end))
    until = f"{end:%H:%M}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"{start:%Y-%m-%d %H:%M} until {until}"


def _plan_lines(plan: CallPlan) -> Iterator[str]:
    """The steps that can be met, numbered, each with where it leads if that is not the next."""
    for here, node in enumerate(plan.nodes):
        leads = {f"on {outcome}": at for outcome, at in node.on.items() if at != node.then}
        if not isinstance(node.step, ENDS) and node.then != here + 1:
            leads["then"] = node.then
        onward = (f"{way} {'end' if at is None else f'go to {at + 1}'}" for way, at in leads.items())
        yield "; ".join([f"{here + 1}. {step_in_words(node.step)}", *onward])
