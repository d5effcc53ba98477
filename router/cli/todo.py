"""`callrouter todo`: who is to call whom back, and until when."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from router.cli.known import Known
from router.cli.options import FAILED, LAST_ID, MOST_LISTED, Config, Json, read_settings
from router.cli.words import ago, in_columns, moment, who_types
from router.core.donotcontact import DoNotContact, Spared
from router.edge.store.donotcontact import DoNotContacts
from router.edge.store.errors import StoreError
from router.edge.store.obligations import Obligation, Obligations

app = typer.Typer(name="todo", add_completion=False, pretty_exceptions_enable=False)

_HEAD = ("id", "due", "owner", "call back", "client", "missed", "why", "call")


@app.callback(invoke_without_command=True)
def list_obligations(
    context: typer.Context,
    owner: Annotated[
        str | None, typer.Option(metavar="PERSON", help="This person's, and everybody's.", show_default=False)
    ] = None,
    client: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this client's.", show_default=False)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Also those that are done.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST_LISTED, help="At most so many.")] = 100,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """List the callers who are to be called back by what the rules' follow-ups say, the most urgent first.

    One is done by itself once the caller calls the client again, or is called back by a queue, and somebody
    talks with them; of calls from desk phones the router knows by `callrouter todo reached`. What callers
    themselves have asked for is in `callrouter messages`; where both are of one call, either does both.
    """
    if context.invoked_subcommand is not None:
        return
    now = datetime.now(UTC)
    if client or owner:
        known = Known.of(read_settings(config))
        client, owner = known.client(client), known.person(owner)
    with _obligations(config) as obligations:
        most = limit if as_json else MOST_LISTED  # Some are shown in one line.
        listed = obligations.listed(client=client, owner=owner, done=every, limit=most)
        spared = Spared(_entries(config, now))
    if as_json:
        for one in listed:
            told = {
                "overdue": one.overdue(now),
                "do_not_contact": spared.find(one.number, one.client, now) is not None,
            }
            typer.echo(msgspec.json.encode(msgspec.to_builtins(one) | told).decode())
    elif listed:
        alike: dict[tuple[object, ...], list[Obligation]] = {}
        for one in listed:
            done = one.id if one.closed_at else None
            alike.setdefault((one.client, one.follow_up, one.number, one.owner, done), []).append(one)
        shown = list(alike.values())[:limit]
        _show([(_row(*some, now=now, spared=spared), some[0].overdue(now)) for some in shown])
    else:
        typer.echo("nobody is to be called back")


@app.command()
def done(
    id: Annotated[
        int, typer.Argument(min=1, max=LAST_ID, metavar="ID", help="Which, as `callrouter todo` shows it.")
    ],
    config: Config = None,
) -> None:
    """Somebody has called back, or need not, however often the caller has called.

    Exit status 1 if there is no such, or it was done before.
    """
    with _obligations(config) as obligations:
        one = obligations.find(id)
        if one is None:
            _fail(f"nobody is to be called back by the id {id}; `callrouter todo` lists whom somebody is to")
        else:
            count = obligations.done(id, who_types(), datetime.now(UTC))
            if not count:
                _fail(f"{id} was done before, {_done(one)}")
            typer.echo(f"{id} is done: {one.number} of {one.client}{_calls(count)}")


@app.command()
def reached(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="As it is dialled, or in E.164.")],
    client: Annotated[str, typer.Option(metavar="ID", help="Whose caller that was.")],
    config: Config = None,
) -> None:
    """Somebody has talked with a caller, by a call that the router does not see: nobody needs to call back.

    Dialplans tell it by AGI (dialplan/route.conf).
    """
    settings = read_settings(config)
    known = Known.of(settings)
    e164 = known.number(number, known.client(client))
    with _obligations(config) as obligations:
        count = obligations.reached(e164, client, who_types(), datetime.now(UTC))
    typer.echo(f"{count} done: {e164} of {client}" if count else f"{client} was not to call {e164} back")


@contextmanager
def _obligations(config: Path | None) -> Iterator[Obligations]:
    """Those of the router's database; ends the command if there is none."""
    try:
        with closing(Obligations(read_settings(config).database_url)) as obligations:
            yield obligations
    except StoreError as error:
        _fail(str(error))


def _entries(config: Path | None, now: datetime) -> Sequence[DoNotContact]:
    with closing(DoNotContacts(read_settings(config).database_url)) as entries:
        return entries.standing(now)


def _fail(why: str) -> None:
    typer.echo(why, err=True)
    raise typer.Exit(FAILED)


def _calls(count: int) -> str:
    """Of how many calls, where they are several."""
    return f" ({count} calls)" if count > 1 else ""


def _row(one: Obligation, *others: Obligation, now: datetime, spared: Spared) -> tuple[str, ...]:
    """The most urgent, of several that are done together."""
    due = moment(one.due_at)
    if one.closed_at is not None:
        due = f"done, {_done(one)}"
    elif one.overdue(now):
        due = f"OVERDUE {ago(one.due_at, now)}"
    never = " (nobody is to call it: dnc)" if spared.find(one.number, one.client, now) else ""
    return (
        str(one.id),
        due,
        one.owner or "-",
        f"{one.number}{_calls(1 + len(others))}{never}",
        one.client,
        f"{ago(one.made_at, now)} ago",
        f"{one.follow_up}: {one.why}",
        one.call_id,
    )


def _done(one: Obligation) -> str:
    call = f" in call {one.closed_call}" if one.closed_call else ""
    return f"by {one.closed_by or 'nobody knows whom'}{call}"


def _show(rows: list[tuple[tuple[str, ...], bool]]) -> None:
    if not Console().is_terminal:
        for line in in_columns([_HEAD, *(row for row, _ in rows)]):
            typer.echo(line)
        return
    table = Table(*_HEAD)
    for row, overdue in rows:
        table.add_row(*map(Text, row), style="bold red" if overdue else "")
    Console().print(table)
