"""`callrouter explain`: why a call goes where it goes; one that has been, or one that nobody places."""

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
import typer

from router.cli.call import decided, follow_ups_in_words
from router.cli.check import load_rules
from router.cli.options import Config, Json, Rules, read_settings, rules_file
from router.cli.words import attempts_in_words
from router.core.arrival import Arriving, read_facts
from router.core.cast import Roles
from router.core.contacts import Entry, in_groups
from router.core.explain import explain as explained
from router.core.explain import explain_stored
from router.core.followups import Due
from router.core.numbers import CallerId
from router.core.plan import PlanNode
from router.core.remarks import did_you_mean, words_of
from router.core.ruleset import RuleSet
from router.core.scenarios import QueueLoad, Supposed, Supposing, due_after, suppose, zone_of
from router.core.show import step_in_words
from router.core.times import Rate, read_from
from router.core.verdict import Verdict
from router.edge.store.contacts import Contacts
from router.edge.store.errors import StoreError
from router.edge.store.queries import CallStory, StoredDecision
from router.edge.store.verdicts import Verdicts
from router.settings import Settings


def explain(
    id: Annotated[
        str | None,
        typer.Argument(metavar="[ID]", help="A call that has been, by its id or the beginning of it."),
    ] = None,
    to: Annotated[str, typer.Option("--to", metavar="NUMBER", help="The number dialled.")] = "",
    caller: Annotated[str, typer.Option("--from", metavar="NUMBER", help="Who calls; else anonymous.")] = "",
    display: Annotated[
        str, typer.Option(metavar="NAME", help="The name that is shown with the call; else none.")
    ] = "",
    at: Annotated[
        str, typer.Option("--at", metavar="TIME", help="2026-12-24 10:00 by the client's clock; else now.")
    ] = "",
    given: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHO=OUTCOME",
            help="Who does what, as in kari=busy, menu=1, or one after the other kari=no_answer,busy.",
        ),
    ] = None,
    variable: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="What the dialplan hands over, as in attestation=A."),
    ] = None,
    called: Annotated[
        str, typer.Option(metavar="RATE", help="How often the caller called lately, as in '5 calls in 10m'.")
    ] = "",
    contact: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GROUP",
            help="A group of the contact that the caller is; else as in `callrouter contacts`.",
        ),
    ] = None,
    queue: Annotated[
        list[str] | None,
        typer.Option(metavar="QUEUE=WAITING/AGENTS", help="How a queue stands, as in reception=6/2."),
    ] = None,
    rules: Rules = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Explain why a call goes where it goes: what took it and, of each rule passed over, what failed.

    With an ID, from what was stored when that call was decided; also with the CALLROUTER_TRACE that a
    dialplan was told. With --to, for a call that nobody places.
    What was decided of numbers by `block` and `allow` counts, and so do contacts, if there are records.
    """
    if (id is None) is (not to):
        raise typer.BadParameter("give the ID of a call that has been, or --to NUMBER")
    if id is not None:
        _of_past(decided(id, config), as_json)
        return
    settings = read_settings(config)
    loaded = load_rules(rules_file(settings, rules))
    arriving = Arriving(to, caller or "anonymous", display, _variables(variable or []))
    moment, does = _moment(at, arriving, loaded), _outcomes(given or [], loaded)
    queues = dict(_load(one, loaded) for one in queue or [])
    entries = _contacts(settings, read_facts(arriving, loaded, moment).caller)
    verdicts = _verdicts(settings)
    known = Supposing(_rate(called), in_groups(contact or None), queues, verdicts, entries)
    supposed = suppose(arriving, moment, loaded, does, known)
    follow_ups = due_after(supposed, loaded)
    if as_json:
        typer.echo(msgspec.json.encode(_as_object(supposed, follow_ups)).decode())
    else:
        typer.echo("\n".join(_lines(supposed, follow_ups)))


def _verdicts(settings: Settings) -> Sequence[Verdict]:
    """What stands; nothing where the router has kept no records yet, or they cannot be read."""
    try:
        with closing(Verdicts(settings.database_url)) as verdicts:
            return verdicts.standing(datetime.now(UTC))
    except StoreError:
        return ()


def _contacts(settings: Settings, caller: CallerId) -> Sequence[Entry]:
    """What clients know of the caller; nothing as above."""
    if caller.number is None:
        return ()
    try:
        with closing(Contacts(settings.database_url)) as contacts:
            return [one.entry for one in contacts.of(caller.number.e164)]
    except StoreError:
        return ()


def _moment(text: str, arriving: Arriving, rules: RuleSet) -> datetime:
    if not text:
        return datetime.now(UTC)
    try:
        return read_from(text).replace(tzinfo=ZoneInfo(zone_of(arriving, rules)))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--at") from error


def _variables(given: list[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    for name, is_, value in pairs:
        if not (name and is_):
            raise typer.BadParameter(f"`{name}{value}`; write NAME=VALUE", param_hint="--variable")
    return {name: value for name, _, value in pairs}


def _rate(text: str) -> Rate | None:
    try:
        return Rate.parse(text) if text else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--called") from error


_LOAD = re.compile(r"([^=]+)=([0-9]{1,6})/([0-9]{1,6})")


def _load(text: str, rules: RuleSet) -> tuple[str, QueueLoad]:
    found = _LOAD.fullmatch(text)
    if found is None:
        wrong = f"`{text}`; write QUEUE=WAITING/AGENTS, as in reception=6/2"
        raise typer.BadParameter(wrong, param_hint="--queue")
    known = {name for client in rules.clients.values() for name in client.queues}
    if found[1] not in known:
        hint = did_you_mean(found[1], known, "write one of the clients' `queues`")
        raise typer.BadParameter(f"no queue is called `{found[1]}`; {hint}", param_hint="--queue")
    return found[1], QueueLoad(int(found[2]), int(found[3]))


def _outcomes(given: list[str], rules: RuleSet) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    roles = Roles(rules)
    for one in given:
        name, is_, outcomes = one.partition("=")
        found[name] = tuple(outcomes.split(","))
        wrong = roles.what_is_wrong(name, found[name]) if name and is_ else None
        if wrong or not (name and is_):
            text = words_of(wrong.error) if wrong else f"`{one}`; write WHO=OUTCOME, as in kari=busy"
            raise typer.BadParameter(text, param_hint="--given")
    return found


def _of_past(story: CallStory | StoredDecision, as_json: bool) -> None:
    follow_ups = story.follow_ups if isinstance(story, CallStory) else ()
    lines = [*explain_stored(story.trace, story.info), *follow_ups_in_words(follow_ups)]
    if as_json:
        trace = None if story.trace is None else msgspec.Raw(story.trace)
        typer.echo(
            msgspec.json.encode(
                {
                    "id": story.info.id,
                    "trace": trace,
                    "follow_ups": follow_ups,
                    "lines": lines,
                }
            ).decode()
        )
    else:
        typer.echo("\n".join(lines or ["why this call was routed so is not stored"]))


def _as_object(supposed: Supposed, follow_ups: Sequence[Due]) -> dict[str, object]:
    decision, record = supposed.decision, supposed.record
    return {
        "client": decision.client,
        "route": decision.route,
        "rules_version": decision.version,
        "at": decision.now,
        "trace": decision.trace,
        "lines": explained(decision),
        "steps": supposed.steps,
        "disposition": record.disposition,
        "reason": record.reason,
        "answered_by": record.answered_by,
        "attempts": record.attempts,
        "follow_ups": [{"name": one.follow_up.name, "why": one.why} for one in follow_ups],
    }


def _lines(supposed: Supposed, follow_ups: Sequence[Due]) -> Iterator[str]:
    decision, record = supposed.decision, supposed.record
    yield from explained(decision)
    yield ""
    nodes = [supposed.plan.nodes[position] for position in supposed.met]
    yield from map(_met, nodes)
    reason = f" ({record.reason})" if record.reason else ""
    attempts = f"; {attempts_in_words(record.attempts)}" if record.attempts else ""
    yield f"so the call is {record.disposition.value}{reason}{attempts}"
    for one in follow_ups:
        yield f"{one.follow_up.place}: follow-up {one.follow_up.name}: due; {one.why}"


def _met(node: PlanNode) -> str:
    place = f"{node.place}: " if node.place else ""
    return f"{place}{step_in_words(node.step)}"
