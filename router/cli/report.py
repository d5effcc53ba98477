"""`callrouter report`: how many calls there were, how they were answered, and how long that took."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from router.cli.labels import Language
from router.cli.options import FAILED, Config, Json, Rules, read_settings, rules_file
from router.cli.reportforms import (
    Names,
    aligned,
    as_csv,
    as_objects,
    not_over,
    notes,
    overview,
    period,
    table,
)
from router.cli.reportpage import page
from router.cli.words import in_columns
from router.core.remarks import RuleErrors, did_you_mean
from router.core.report import By, Counting, Report, Wanted, Window
from router.core.ruleset import RuleSet
from router.core.times import Duration, read_from, read_until, read_zone
from router.edge.store.errors import StoreError
from router.edge.store.reporting import CallsForReports
from router.settings import Settings

STANDARD_OUTPUT = Path("-")
LARGEST_OFFSET = timedelta(days=1)
"""No clock on a wall is further from UTC."""


def _length(text: str) -> float:
    try:
        return float(Duration.parse(text).seconds)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def report(
    by: Annotated[
        list[By] | None,
        typer.Argument(metavar="[BY]...", help=f"A table each: {', '.join(By)}.", show_default=False),
    ] = None,
    begins: Annotated[
        str, typer.Option("--from", metavar="TIME", help="From a day, or '2026-11-22 10:00'.")
    ] = "",
    until: Annotated[
        str, typer.Option(metavar="TIME", help="Until a day, which counts whole, or a moment.")
    ] = "",
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Only calls since: 1h, 7d, 2026-11-22, '2026-11-22 10:00'.")
    ] = "",
    client: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this client's calls.", show_default=False)
    ] = None,
    queue: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only calls that came to this queue.", show_default=False),
    ] = None,
    within: Annotated[
        float,
        typer.Option(parser=_length, metavar="TIME", help="In which calls are to be answered."),
    ] = "20s",  # type: ignore[assignment]  # typer parses the default, too
    short: Annotated[
        float,
        typer.Option(parser=_length, metavar="TIME", help="Who hangs up sooner counts for nothing."),
    ] = "5s",  # type: ignore[assignment]  # typer parses the default, too
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write CSV; - to standard output.", show_default=False)
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a page with charts, by all groups unless some are named.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
    language: Language = None,
    rules: Rules = None,
    config: Config = None,
) -> None:
    """Report on calls: service level, abandonment, waits and handling times; an overview, or a table for each
    group. Days and hours are by each client's own clocks."""
    for_people = html is None and csv is None and not as_json
    groups = tuple(dict.fromkeys(by or ([By.DISPOSITION] if for_people else By)))
    wanted = Wanted(groups, within, short, _window(begins, until, since), client, queue)
    settings = read_settings(config)
    loaded = _rules(settings, rules)
    names = Names(loaded, language)
    try:
        with closing(CallsForReports(settings.database_url)) as calls:
            found = _counted(calls, wanted, loaded)
    except StoreError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from error
    is_empty = not found.total.calls and not found.total.callbacks
    if is_empty:
        _tell_nothing(found, names, loaded)
    if csv is not None:
        _write(csv, as_csv(found, names), "utf-8-sig")
    if html is not None:
        _write(html, page(found, names, datetime.now(UTC)), "utf-8")
    if as_json:
        for line in as_objects(found, names):
            typer.echo(msgspec.json.encode(line).decode())
    elif for_people and not is_empty:
        _show(found, names, with_overview=not by)


def _window(begins: str, until: str, since: str) -> Window:
    if begins and since:
        raise typer.BadParameter("say either --from or --since", param_hint="--since")
    first = _moment(read_from, begins, "--from")
    last = _moment(read_until, until, "--until")
    instant = None
    if since:
        try:
            instant = datetime.now(UTC) - timedelta(seconds=Duration.parse(since).seconds)
        except (ValueError, OverflowError):
            first = _moment(read_from, since, "--since", "write 1h, 7d, 2026-11-22 or '2026-11-22 10:00'")
    if first and last and first >= last:
        raise typer.BadParameter(f"`{until}` is not after `{begins or since}`", param_hint="--until")
    return Window(first, last, instant)


def _moment(read: Callable[[str], datetime], text: str, option: str, hint: str = "") -> datetime | None:
    try:
        return read(text) if text else None
    except ValueError as error:
        told = f"`{text}` is not a time; {hint}" if hint else str(error)
        raise typer.BadParameter(told, param_hint=option) from error


def _rules(settings: Settings, rules: Path | None) -> RuleSet | None:
    """Rules give names and time zones; a report does not depend on them."""
    loaded = rules_file(settings, rules).load()
    if isinstance(loaded, RuleErrors):
        typer.echo(
            "the rules cannot be used (`callrouter check` tells why): clients and people go by their ids, "
            "and clocks by what was in force at each client's latest call",
            err=True,
        )
        return None
    return loaded


def _counted(calls: CallsForReports, wanted: Wanted, rules: RuleSet | None) -> Report:
    clients = [wanted.client] if wanted.client else calls.clients()
    zones = _zones(calls, clients, rules)
    others = set(zones.values())
    otherwise = others.pop() if len(others) == 1 else ZoneInfo("UTC")
    counting = Counting(wanted, zones, otherwise)
    window = wanted.window
    start = window.since or (window.first and window.first.replace(tzinfo=UTC) - LARGEST_OFFSET)
    end = window.last and window.last.replace(tzinfo=UTC) + LARGEST_OFFSET
    for call in calls.calls(wanted.client, start, end):
        counting.add(call)
    for live in calls.live(wanted.client, start, end):
        counting.add_live(*live)
    return counting.report()


def _zones(calls: CallsForReports, clients: Iterable[str], rules: RuleSet | None) -> Mapping[str, ZoneInfo]:
    """The clocks of clients; of one that is in the rules no more, those of its latest call."""
    known = rules.clients if rules else {}
    zones: dict[str, ZoneInfo] = {}
    for client in clients:
        name = known[client].timezone if client in known else calls.zone_of(client)
        with suppress(ValueError):  # Where it is told nowhere.
            zones[client] = read_zone(name)
    return zones


def _tell_nothing(found: Report, names: Names, rules: RuleSet | None) -> None:
    """Say that there is nothing to count; ends the command where that is for a name that is nobody's."""
    client, queue = found.wanted.client, found.wanted.queue
    known = rules.clients if rules else {}
    queues = {name for one in known.values() if client in (None, one.id) for name in one.queues}
    if client is not None and known and client not in known:
        hint = did_you_mean(client, known, "`callrouter show` lists them")
        typer.echo(f"no client is called `{client}`; {hint}", err=True)
        raise typer.Exit(FAILED)
    if queue is not None and rules and queue not in queues:
        hint = did_you_mean(queue, queues, "`callrouter queues` lists them")
        typer.echo(f"no calls came to a queue `{queue}`, and rules have none; {hint}", err=True)
        raise typer.Exit(FAILED)
    more = f"; {not_over(found)}" if found.live else ""
    typer.echo(f"there are no {period(found, names)}{more}", err=True)


def _write(file: Path, text: str, encoding: str) -> None:
    if file == STANDARD_OUTPUT:
        typer.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding=encoding, newline="")
    except OSError as error:
        typer.echo(f"{file} cannot be written ({error.strerror})", err=True)
        raise typer.Exit(FAILED) from error
    typer.echo(f"{file} is written", err=True)


def _show(found: Report, names: Names, *, with_overview: bool) -> None:
    console = Console()
    heading = period(found, names)
    typer.echo(heading[0].upper() + heading[1:])
    if with_overview:
        for line in in_columns(list(overview(found))):
            typer.echo(f"  {line}")
    for by in found.groups:
        typer.echo()
        shown = table(found, by, names)
        if console.is_terminal:
            drawn = Table(show_footer=False)
            for number, head in enumerate(shown.head):
                drawn.add_column(head, justify="left" if number < shown.names else "right")
            for row in shown.rows:
                drawn.add_row(*map(Text, row), end_section=row is shown.rows[-2:][0] and shown.has_total)
            console.print(drawn)
        else:
            for line in in_columns(aligned(shown)):
                typer.echo(line)
    typer.echo()
    for note in notes(found):
        typer.echo(note)
