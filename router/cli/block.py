"""`callrouter block`, `allow`, `unblock`, `blocked`: single numbers, at once, without touching the rules."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from router.cli.addressbook import opened
from router.cli.calls import parse_since
from router.cli.daemon import NoDaemonError, tell
from router.cli.known import Known
from router.cli.options import FAILED, MOST_LISTED, Config, Json, read_settings
from router.cli.words import moment, who_types
from router.core.times import Duration
from router.core.trace import TraceRow
from router.core.verdict import Verdict
from router.edge.store.errors import StoreError
from router.edge.store.queries import Queries, Screened
from router.edge.store.verdicts import Verdicts
from router.edge.web.health import VERDICTS
from router.settings import Settings

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="Whose calls: +4790000001, or 90000001.")]
Client = Annotated[str | None, typer.Option(metavar="ID", help="Only for this client.", show_default=False)]
For = Annotated[
    str, typer.Option("--for", metavar="TIME", help="30d, 12h: it ends by itself.", show_default=False)
]
Why = Annotated[str, typer.Option(metavar="TEXT", help="The reason, for those who ask later.")]

_ROWS = msgspec.json.Decoder(tuple[TraceRow, ...])


def _deciding(kind: Literal["allow", "block"], doc: str) -> Callable[..., None]:
    """The command that decides so."""

    def decide(
        number: Number,
        client: Client = None,
        length: For = "",
        why: Why = "",
        as_json: Json = False,
        config: Config = None,
    ) -> None:
        settings = read_settings(config)
        known = Known.of(settings)
        now = datetime.now(UTC)
        why = "".join(filter(str.isprintable, why))
        client = known.client(client)
        e164 = known.number(number, client)
        verdict = Verdict(0, kind, e164, client, why, who_types(), now, until_of(length, now))
        with _verdicts(settings) as verdicts:
            verdict = verdicts.add(verdict)
        with opened(settings) as contacts:
            entries = [kept.entry for kept in contacts.of(e164)]
        _tell(settings)
        typer.echo(_json(verdict) if as_json else _words(verdict))
        for outranked in known.allowing(verdict, entries) if kind == "block" else ():
            typer.echo(f"warning: {outranked}", err=True)

    decide.__doc__ = doc
    return decide


block = _deciding("block", "Refuse a number from its next call on, until undone or for a time.")
allow = _deciding(
    "allow",
    "Let a number pass all block rules from its next call on: the undo of a rule that hit the wrong one.",
)


def unblock(number: Number, client: Client = None, as_json: Json = False, config: Config = None) -> None:
    """Undo what `block` and `allow` have decided of a number; the rules alone count for it again."""
    settings = read_settings(config)
    known = Known.of(settings)
    client = known.client(client)
    e164 = known.number(number, client)
    with _verdicts(settings) as verdicts:
        undone = verdicts.undo(e164, client, who_types(), datetime.now(UTC))
        left = [one for one in verdicts.standing(datetime.now(UTC)) if one.number == e164]
    if not undone:
        typer.echo(_nothing_undone(e164, client, left), err=True)
        raise typer.Exit(FAILED)
    _tell(settings)
    for verdict in undone:
        typer.echo(_json(verdict) if as_json else f"undone: {_words(verdict)}")


def blocked(
    client: Client = None,
    since: Annotated[
        datetime,
        typer.Option(parser=parse_since, metavar="TIME", help="Calls since: 1h, 7d, 2026-11-22."),
    ] = "7d",  # type: ignore[assignment]  # typer parses the default, too
    limit: Annotated[
        int, typer.Option(min=1, max=MOST_LISTED, help="At most so many calls, the latest.")
    ] = 50,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """List what is decided by command, and the latest calls that a block rule hit, in shadow too."""
    settings = read_settings(config)
    client = Known.of(settings).client(client)
    with _verdicts(settings) as verdicts:
        every = verdicts.standing(datetime.now(UTC))
        standing = [one for one in every if client is None or one.client in (None, client)]
        queries = Queries(settings.database_url)
    hits = [row for call in queries.screened(client, since, limit)[::-1] for row in _hits(call)]
    queries.close()
    if as_json:
        for verdict in standing:
            typer.echo(_json(verdict))
        for hit in hits:
            typer.echo(msgspec.json.encode(dict(zip(_HIT_COLUMNS, hit, strict=True))).decode())
        return
    for verdict in standing:
        typer.echo(_words(verdict))
    _show(hits)
    typer.echo("a caller who was hit wrongly: callrouter allow NUMBER; a command: callrouter unblock NUMBER")


def _nothing_undone(number: str, client: str | None, left: Sequence[Verdict]) -> str:
    for_all = [one.name for one in left if one.client is None]
    if client is not None and for_all:
        names = " and ".join(for_all)
        return f"{number} is decided for all clients, by {names}; `callrouter unblock {number}` undoes that"
    return f"nothing was decided of {number} by command; `callrouter blocked` lists what is"


_HIT_COLUMNS = ("time", "call", "client", "caller", "rule", "by", "kind")


def _hits(call: Screened) -> Iterator[tuple[str, ...]]:
    for row in _ROWS.decode(call.trace):
        if row.matched and row.kind in ("block", "challenge", "shadow"):
            info = call.info
            yield (
                moment(info.arrived_at), info.id, info.client or "-", info.caller or "anonymous", row.name,
                row.entry, row.kind,
            )  # fmt: skip


def _show(hits: Sequence[tuple[str, ...]]) -> None:
    if not hits:
        typer.echo("no call was hit by a block rule in that time")
    elif Console().is_terminal:
        table = Table(*_HIT_COLUMNS)
        for hit in hits:
            table.add_row(*map(Text, hit))
        Console().print(table)
    else:
        for hit in hits:
            typer.echo("  ".join(cell or "-" for cell in hit))


@contextmanager
def _verdicts(settings: Settings) -> Iterator[Verdicts]:
    try:
        with closing(Verdicts(settings.database_url)) as verdicts:
            yield verdicts
    except StoreError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from error


def _tell(settings: Settings) -> None:
    """Have the running router know at once."""
    try:
        tell(settings.web, VERDICTS)
    except NoDaemonError as error:
        typer.echo(f"written down; it counts from the router's next start: {error}", err=True)


def until_of(length: str, now: datetime) -> datetime | None:
    """The end of `30d` from `now` on, as `--for` has it; None where nothing was typed."""
    if not length:
        return None
    try:
        seconds = Duration.parse(length).seconds
        if not seconds:
            raise ValueError(f"`{length}` is no time at all; write it as in 30d or 12h")
        return now + timedelta(seconds=seconds)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--for") from error


def _words(verdict: Verdict) -> str:
    parts: Iterable[str] = (
        f"{verdict.name}: {verdict.kind} {verdict.number}",
        f"for {verdict.client}" if verdict.client else "for all clients",
        f"until {moment(verdict.until)}" if verdict.until else "until undone",
        f"by {verdict.who}",
        f"({verdict.why})" if verdict.why else "",
    )
    return " ".join(part for part in parts if part)


def _json(verdict: Verdict) -> str:
    return msgspec.json.encode(verdict).decode()
