"""`callrouter show`: the tree a caller meets, what applies when, and who can ring whom."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from router.cli.calendar import page, print_calendar
from router.cli.check import load_rules
from router.cli.options import FAILED, Config, Json, Rules, read_settings, rules_file
from router.cli.words import days_of, in_columns
from router.core.calendar import LONGEST, Calendar, calendar
from router.core.reach import Nobody, Way, reach
from router.core.remarks import did_you_mean
from router.core.ruleset import ClientRules, RuleSet
from router.core.show import Entry, tree
from router.core.times import Duration, read_from

MOST_NAMED = 3
"""Routes before that are named one by one."""
WAYS = ("number", "client", "by", "when", "after", "rings", "for", "place")


def show(
    client: Annotated[
        str | None, typer.Argument(metavar="CLIENT", help="Only this client; else all.")
    ] = None,
    days: Annotated[
        str, typer.Option("--calendar", metavar="DAYS", help="What applies when, for so long, as in 30d.")
    ] = "",
    first: Annotated[
        str, typer.Option("--from", metavar="DATE", help="The calendar's first day; else today.")
    ] = "",
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the calendar there, as a page to read or print."),
    ] = None,
    who: Annotated[
        str, typer.Option("--reach", metavar="WHO", help="Who can ring this person, endpoint or number?")
    ] = "",
    rules: Rules = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Show what callers meet, client by client; with --calendar what applies when; with --reach who can ring
    whom."""
    if days and who:
        raise typer.BadParameter("give --calendar or --reach, not both")
    if (first or html) and not days:
        raise typer.BadParameter("--from and --html are the calendar's; give --calendar as well, as in 30d")
    length, begins = _length(days), _date(first)
    loaded = load_rules(rules_file(read_settings(config), rules))
    clients = _clients(loaded, client)
    now = datetime.now(UTC)
    if who:
        _show_ways(loaded, who, now, client, as_json)
    elif days:
        found = (
            calendar(loaded, one, begins or now.astimezone(ZoneInfo(one.timezone)).date(), length)
            for one in clients
        )
        _show_calendars(found, html, as_json)
    else:
        _show_trees((tree(loaded, one) for one in clients), as_json)


def _length(text: str) -> int:
    days = days_of(text) if text else 1
    if days is None or days not in range(1, LONGEST + 1):
        hint = f"write a number of days, from 1d to {LONGEST}d"
        raise typer.BadParameter(f"`{text}` is not so many days; {hint}", param_hint="--calendar")
    return days


def _date(text: str) -> date | None:
    try:
        return read_from(text).date() if text else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--from") from error


def _clients(rules: RuleSet, name: str | None) -> Sequence[ClientRules]:
    if name is None:
        return list(rules.clients.values())
    if name not in rules.clients:
        hint = did_you_mean(name, rules.clients, "`callrouter show` without a name shows all")
        typer.echo(f"there is no client `{name}`; {hint}", err=True)
        raise typer.Exit(FAILED)
    return [rules.clients[name]]


def _echo_json(values: Iterable[Any]) -> None:
    for value in values:
        typer.echo(msgspec.json.encode(value).decode())


# The tree


def _show_trees(trees: Iterable[Entry], as_json: bool) -> None:
    console = Console()
    if as_json:
        _echo_json(trees)
        return
    for number, one in enumerate(trees):
        if console.is_terminal:
            console.print(_branch(one, None))
        else:
            typer.echo("\n".join((*[""] * bool(number), *in_columns(list(_lines(one, ""))))))


def _branch(entry: Entry, under: Tree | None) -> Tree:
    label = Text.assemble((entry.words, _STYLES.get(entry.kind, "")), "  ", (entry.place, "dim"))
    here = Tree(label) if under is None else under.add(label)
    for inside in entry.inside:
        _branch(inside, here)
    return here


_STYLES = {
    "client": "bold",
    "route": "bold cyan",
    "exception": "bold yellow",
    "block": "red",
    "branch": "green",
}


def _lines(entry: Entry, indent: str) -> Iterator[tuple[str, str]]:
    yield f"{indent}{entry.words}", entry.place
    for inside in entry.inside:
        yield from _lines(inside, f"{indent}  ")


# The calendar


def _show_calendars(calendars: Iterable[Calendar], html: Path | None, as_json: bool) -> None:
    if html is not None:
        try:
            html.write_text(page(list(calendars)), encoding="utf-8")
        except OSError as error:
            typer.echo(f"{html} cannot be written ({error.strerror})", err=True)
            raise typer.Exit(FAILED) from error
    elif as_json:
        _echo_json(calendars)
    else:
        for one in calendars:
            print_calendar(one)


# Who can ring


def _show_ways(rules: RuleSet, who: str, now: datetime, client: str | None, as_json: bool) -> None:
    found = reach(rules, who, now, client)
    if isinstance(found, Nobody):
        typer.echo(f"no rule knows `{who}`; {found.hint}", err=True)
        raise typer.Exit(FAILED)
    if as_json:
        _echo_json(found)
    elif not found:
        typer.echo(f"nothing rings {who}")
    elif Console().is_terminal:
        table = Table(*WAYS)
        for way in found:
            table.add_row(*map(Text, _row(way)))
        Console().print(table)
    else:
        typer.echo("\n".join(in_columns([WAYS, *map(_row, found)])))


def _row(way: Way) -> tuple[str, ...]:
    rung = way.rings
    turn = f", round {rung.round} of {rung.rounds}" if rung.rounds > 1 else ""
    turn += ", rotating" if rung.rotating else ""
    hours = f"open: {way.during}" if way.during else ""
    more = f" or {len(way.before) - MOST_NAMED} more" if len(way.before) > MOST_NAMED else ""
    taken = f"unless taken by {', '.join(way.before[:MOST_NAMED])}{more}" if way.before else ""
    always = "" if way.when or hours else "always"
    return (
        " ".join(way.numbers),
        way.client,
        f"{way.kind} {way.name}".strip(),
        ", ".join(filter(None, (way.when, hours, always, taken))),
        ", ".join(rung.through) or "at once",
        f"{rung.phone}{turn}",
        str(Duration(int(rung.ring_for))),
        rung.place,
    )
