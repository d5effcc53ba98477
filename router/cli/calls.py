"""`callrouter calls`: the latest calls and what became of them."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from router.cli.labels import Labels, Language
from router.cli.options import MOST_LISTED, Config, Json, read_settings
from router.cli.records import open_records
from router.cli.words import attempts_in_words, in_columns, length, moment
from router.core.record import Disposition
from router.core.remarks import did_you_mean
from router.core.times import Duration
from router.edge.store.queries import CallFilter, ListedCall, Queries

COLUMNS = (
    "time",
    "call",
    "client",
    "dialled",
    "caller",
    "name",
    "route",
    "disposition",
    "reason",
    "tags",
    "hung up by",
    "rang",
    "talked",
    "attempts",
)

LATE = timedelta(minutes=10)
"""How much later than its end a call may be written down and still be seen by `--follow`."""
MOST_AT_ONCE = 1_000
"""Calls that `--follow` takes in at one look."""


def parse_since(text: str, now: datetime | None = None) -> datetime:
    """`1h`, `30m`, `7d` before now; `2026-11-22`, `2026-11-22 10:00` in this machine's time zone."""
    before = now or datetime.now(UTC)
    try:
        return before - timedelta(seconds=Duration.parse(text).seconds)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise typer.BadParameter(
            f"`{text}` is not a time; write 1h, 7d, 2026-11-22 or '2026-11-22 10:00'"
        ) from None


def list_calls(
    client: Annotated[str | None, typer.Option(help="Only this client's calls.", show_default=False)] = None,
    disposition: Annotated[
        Disposition | None, typer.Option(help="Only calls that ended so.", show_default=False)
    ] = None,
    tag: Annotated[
        str | None, typer.Option(help="Only calls that have this tag.", show_default=False)
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=parse_since,
            metavar="TIME",
            help="Only calls since: 1h, 7d, 2026-11-22, '2026-11-22 10:00'.",
            show_default=False,
        ),
    ] = None,
    codes: Annotated[
        bool, typer.Option("--codes", help="Also feature codes that agents' phones have dialled.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST_LISTED, help="At most so many, the latest.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with calls as they end.")] = False,
    language: Language = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """List calls, the latest last."""
    names = Labels.of(language, read_settings(config))
    queries = open_records(config)
    wanted = CallFilter(
        client=client, disposition=disposition, tag=tag, since=since, codes=codes, limit=limit
    )
    began = datetime.now(UTC)
    latest = queries.calls(wanted)[::-1]
    show = _show_json if as_json else _show_lines if follow or not Console().is_terminal else _show_table
    if latest or follow:
        show(latest, names)
    elif not as_json:
        typer.echo(_nothing(queries, wanted))
    if follow:
        try:
            for call in ended_calls(queries, wanted, began, latest, lambda: time.sleep(1.0)):
                (_show_json if as_json else _show_line)([call], names)
        except KeyboardInterrupt:
            pass
    queries.close()


def ended_calls(
    queries: Queries,
    wanted: CallFilter,
    began: datetime,
    listed: Sequence[ListedCall],
    wait: Callable[[], None],
) -> Iterator[ListedCall]:
    """Calls that end after `began` and are not among those `listed`, for ever, in order of their ends.

    `wait` is called between two looks.
    """
    shown = {call.info.id: call.record.ended_at for call in listed if call.record is not None}
    while True:
        since = max(began, datetime.now(UTC) - LATE)
        look = msgspec.structs.replace(wanted, since=None, ended_since=since, limit=MOST_AT_ONCE)
        found = [(call.record.ended_at, call) for call in queries.calls(look) if call.record is not None]
        for ended_at, call in sorted(found, key=lambda pair: pair[0]):
            if call.info.id not in shown:
                shown[call.info.id] = ended_at
                yield call
        shown = {id: ended_at for id, ended_at in shown.items() if ended_at >= since}
        wait()


def as_object(call: ListedCall) -> dict[str, Any]:
    """A call as one flat JSON object; the fields of its end are missing while it is open.

    `tagged` and `corrected` are how things stand, `tags` and `corrections` how that came.
    """
    found: dict[str, Any] = msgspec.to_builtins(call.info) | {"disposition": None}
    if call.record is not None:
        found |= msgspec.to_builtins(call.record)
        del found["info"]
    return found | {
        "corrected": call.corrected and call.corrected.value,
        "tagged": [tag.tag for tag in call.tagged],
        "tags": msgspec.to_builtins(call.tags),
        "corrections": msgspec.to_builtins(call.corrections),
    }


def row(call: ListedCall, names: Labels) -> tuple[str, ...]:
    """A call in the order of COLUMNS."""
    info, record = call.info, call.record
    tags = ", ".join(names.tag(info.client, tag.tag) for tag in call.tagged)
    start = (
        moment(info.arrived_at),
        info.id,
        info.client or "-",
        info.dialled,
        info.caller or "anonymous",
        info.name or info.display or "-",
        info.route or "-",
    )
    if record is None:
        return (*start, "(live)", "", tags, "", "", "", "")
    became = names.disposition(record.disposition)
    if call.corrected is not None:
        became = f"{names.disposition(call.corrected)} (not {became})"
    return (
        *start,
        became,
        record.reason,
        tags,
        record.hung_up_by.value if record.hung_up_by else "",
        length(record.ring_seconds),
        length(record.talk_seconds),
        attempts_in_words(record.attempts),
    )


def _show_json(calls: Sequence[ListedCall], names: Labels) -> None:
    for call in calls:
        typer.echo(msgspec.json.encode(as_object(call)).decode())


def _show_table(calls: Sequence[ListedCall], names: Labels) -> None:
    table = Table(*COLUMNS)
    for call in calls:
        table.add_row(*map(Text, row(call, names)))  # a route may be named `main [night]`: no markup
    Console().print(table)


def _show_lines(calls: Sequence[ListedCall], names: Labels) -> None:
    typer.echo("\n".join(in_columns([COLUMNS, *(row(call, names) for call in calls)])))


def _show_line(calls: Sequence[ListedCall], names: Labels) -> None:
    for call in calls:
        typer.echo("  ".join(cell or "-" for cell in row(call, names)))


def _nothing(queries: Queries, wanted: CallFilter) -> str:
    counts = queries.counts()
    total = counts.open + sum(counts.ended.values())
    if not total:
        return "no calls yet: a call is listed from the moment Asterisk hands it to the router"
    asked = " ".join(
        f"--{name} {value}"
        for name, value in (
            ("client", wanted.client),
            ("disposition", wanted.disposition),
            ("tag", wanted.tag),
            ("since", wanted.since and moment(wanted.since)),
        )
        if value
    )
    used = queries.tags_used() if wanted.tag else []
    if wanted.tag and wanted.tag not in used:
        return f"no call has or had the tag `{wanted.tag}`; {did_you_mean(wanted.tag, used, _TAGS_LISTED)}"
    return f"no calls match {asked}; there are {total} in all"


_TAGS_LISTED = "`callrouter tags` lists what there is"
