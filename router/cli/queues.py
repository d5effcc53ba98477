"""`callrouter queues` and `callrouter agents`: who waits for whom, and who is there to answer."""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from router.cli.audit import audit
from router.cli.daemon import NoDaemonError, ask, tell
from router.cli.options import FAILED, WRONG, Config, Json, read_settings, rules_file
from router.cli.words import in_columns, length, who_types
from router.core.agents import AgentChange, Change
from router.core.remarks import RuleErrors, did_you_mean
from router.core.ruleset import RuleSet
from router.edge.queueviews import SeenAgent, SeenCaller, SeenQueue
from router.edge.store.agents import AgentChanges
from router.edge.store.errors import StoreError
from router.edge.web.health import AGENTS, QUEUES
from router.settings import Settings, Web

EVERY = 1.0
"""Seconds between two looks with --follow."""


def show_queues(
    client: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this client's.", show_default=False)
    ] = None,
    follow: Annotated[bool, typer.Option(help="Look again every second, until interrupted.")] = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show who waits in the queues of the running router, for how long, and what their agents do."""
    web = read_settings(config).web
    if as_json:
        for queue in _look(web, client):
            typer.echo(msgspec.json.encode(queue).decode())
        return
    if not follow:
        for line in _lines(_look(web, client)):
            typer.echo(line)
        return
    with Live(console=Console(), auto_refresh=False) as live:
        while True:
            live.update(Group(*map(Text, _lines(_look(web, client)))), refresh=True)
            time.sleep(EVERY)


app = typer.Typer(name="agents", add_completion=False, pretty_exceptions_enable=False)

Person = Annotated[str, typer.Argument(metavar="PERSON", help="Id of the agent, as in rules.")]
Client = Annotated[
    str, typer.Option(metavar="ID", help="Whose agent; needed where several clients have one of that id.")
]


@app.callback(invoke_without_command=True)
def list_agents(context: typer.Context, as_json: Json = False, config: Config = None) -> None:
    """List the agents of all queues, and what they do now."""
    if context.invoked_subcommand is not None:
        return
    found: dict[tuple[str, str], tuple[SeenAgent, list[str]]] = {}
    for queue in _look(read_settings(config).web, None):
        for agent in queue.agents:
            found.setdefault((queue.client, agent.person), (agent, []))[1].append(queue.queue)
    if as_json:
        for (client, _), (agent, queues) in found.items():
            row = msgspec.to_builtins(agent) | {"client": client, "queues": queues}
            typer.echo(msgspec.json.encode(row).decode())
        return
    rows = [(client, *_agent(agent), ", ".join(queues)) for (client, _), (agent, queues) in found.items()]
    for line in in_columns([("client", "agent", "state", "since", "calls", "queues"), *rows]):
        typer.echo(line)


@app.command()
def login(person: Person, client: Client = "", config: Config = None) -> None:
    """An agent begins to work."""
    _change(Change.LOGGED_IN, person, client, "", config)


@app.command()
def logout(person: Person, client: Client = "", config: Config = None) -> None:
    """An agent works no longer, and is not rung by queues; a talk goes on."""
    _change(Change.LOGGED_OUT, person, client, "", config)


@app.command()
def pause(
    person: Person,
    reason: Annotated[str, typer.Option(help="Why, as others see it.")] = "pause",
    client: Client = "",
    config: Config = None,
) -> None:
    """An agent is not rung by queues until they resume; a talk goes on. Who is logged out cannot pause."""
    _change(Change.PAUSED, person, client, "".join(filter(str.isprintable, reason)) or "pause", config)


@app.command()
def resume(person: Person, client: Client = "", config: Config = None) -> None:
    """An agent who was paused is there again. It also ends a wrap-up; who is logged out stays so."""
    _change(Change.RESUMED, person, client, "", config)


app.command("audit")(audit)


def _change(change: Change, person: str, client: str, reason: str, config: Config) -> None:
    settings = read_settings(config)
    client = _client_of(person, client, settings)
    made = AgentChange(0, client, person, change, reason, who_types(), datetime.now(UTC))
    try:
        with closing(AgentChanges(settings.database_url)) as changes:
            weighed = changes.ask(made)
    except StoreError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from error
    if not weighed.made:
        typer.echo(weighed.refused or weighed.remark, err=True)
        raise typer.Exit(FAILED if weighed.refused else 0)
    why = f" ({reason})" if reason else ""
    remark = f"; {weighed.remark}" if weighed.remark else ""
    typer.echo(f"{person} of {client}: {change.replace('_', ' ')}{why}{remark}")
    try:
        tell(settings.web, AGENTS)
    except NoDaemonError as error:
        typer.echo(f"written down; it counts from the router's next start: {error}", err=True)


def _client_of(person: str, client: str, settings: Settings) -> str:
    """Whose agent that is, by the rules; ends the command where it is nobody's, or of several."""
    rules = rules_file(settings).load()
    if isinstance(rules, RuleErrors):
        if client:
            return client
        typer.echo("the rules have errors, so name the client: --client ID", err=True)
        raise typer.Exit(WRONG)
    agents = dict(_agents(rules))
    having = [one for one, people in agents.items() if person in people and client in ("", one)]
    if len(having) == 1:
        return having[0]
    if having:
        typer.echo(f"{person} is an agent of {', '.join(having)}; name one: --client ID", err=True)
    else:
        everybody = sorted({one for people in agents.values() for one in people})
        hint = did_you_mean(person, everybody, "`callrouter agents` lists them")
        typer.echo(f"no agent is called `{person}`; {hint}", err=True)
    raise typer.Exit(WRONG)


def _agents(rules: RuleSet) -> Iterator[tuple[str, set[str]]]:
    for client in rules.clients.values():
        yield client.id, {agent for queue in client.queues.values() for agent in queue.agents}


def _look(web: Web, client: str | None) -> list[SeenQueue]:
    try:
        queues = msgspec.convert(ask(web, QUEUES), list[SeenQueue])
    except (NoDaemonError, msgspec.ValidationError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from error
    return [queue for queue in queues if client in (None, queue.client)]


def _lines(queues: list[SeenQueue]) -> Iterator[str]:
    if not queues:
        yield "no queues"
    for queue in queues:
        at_work = sum(agent.state not in ("paused", "logged_out") for agent in queue.agents)
        yield f"{queue.client} {queue.queue}: {len(queue.callers)} waiting, {at_work} agents at work"
        callers = [_caller(place, one) for place, one in enumerate(queue.callers, start=1)]
        if callers:
            head = ("  place", "call", "waits", "expected", "offered to")
            yield from in_columns([head, *callers])
        agents = [(f"  {name}", *rest) for name, *rest in map(_agent, queue.agents)]
        yield from in_columns([("  agent", "state", "since", "calls"), *agents])


def _caller(place: int, caller: SeenCaller) -> tuple[str, ...]:
    expected = "" if caller.expected_wait is None else f"{length(caller.expected_wait)} more"
    front = " (front)" if caller.front else ""
    return f"  {place}{front}", caller.call_id, _since(caller.since), expected, ", ".join(caller.offered_to)


def _agent(agent: SeenAgent) -> tuple[str, ...]:
    state = agent.state.replace("_", " ") + (f" ({agent.reason})" if agent.reason else "")
    since = "" if agent.since is None else _since(agent.since)
    return agent.person, state, since, str(agent.calls)


def _since(moment: datetime) -> str:
    return length(max((datetime.now(UTC) - moment).total_seconds(), 0.1))
