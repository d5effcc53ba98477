"""`callrouter token`: tokens for programs that ask the router over HTTP."""

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
import typer

from router.cli.daemon import NoDaemonError, tell
from router.cli.options import FAILED, WRONG, Config, Json, read_settings, rules_file
from router.cli.words import in_columns, moment, who_types
from router.core.access import PREFIX, RANDOM_BYTES, Role, Token, hash_of, what_is_wrong
from router.core.remarks import RuleErrors, did_you_mean
from router.core.times import Duration
from router.edge.store.errors import StoreError
from router.edge.store.tokens import Tokens
from router.edge.web.health import TOKENS
from router.settings import Settings

app = typer.Typer(
    name="token",
    help="Tokens for programs that ask the router over HTTP: make, list and revoke them.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Whose it is, or what for.")]

LONGEST_NAME = 64


@app.command()
def create(
    name: Name,
    role: Annotated[Role, typer.Option(help="What its owner may do; each may what those before it may.")],
    client: Annotated[
        str | None, typer.Option(metavar="ID", help="Only for this client; else all.", show_default=False)
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Of an agent's: who the agent is.", show_default=False),
    ] = None,
    length: Annotated[
        str, typer.Option("--for", metavar="TIME", help="90d, 12h: it ends by itself.", show_default=False)
    ] = "",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Make a token. It is shown this once: the router keeps only what it needs to recognise it."""
    settings = read_settings(config)
    now = datetime.now(UTC)
    _check(name, role, client, person, settings)
    text = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    token = Token(name, role, client, person, hash_of(text), now, who_types(), _until(length, now))
    with _tokens(settings) as tokens:
        added = tokens.add(token, now)
    if not added:
        _end(f"there is a token `{name}` already; `callrouter token revoke {name}` ends it", FAILED)
    _tell(settings)
    if as_json:
        typer.echo(msgspec.json.encode(_as_object(token) | {"token": text}).decode())
        return
    typer.echo(text)
    typer.echo(f"{_words(token)}; it is not shown again", err=True)


@app.command("list")
def list_tokens(
    every: Annotated[bool, typer.Option("--all", help="Also those that are revoked or over.")] = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """List tokens, without the tokens themselves, which nobody knows but their owners."""
    now = datetime.now(UTC)
    with _tokens(read_settings(config)) as tokens:
        found = tokens.listed(now, every=every)
    if as_json:
        for token in found:
            typer.echo(msgspec.json.encode(_as_object(token)).decode())
        return
    if not found:
        typer.echo("no tokens; `callrouter token create NAME --role reader` makes one")
        return
    head = ("name", "role", "client", "person", "made", "by", "until", "revoked")
    for line in in_columns([head, *map(_row, found)]):
        typer.echo(line)


@app.command()
def revoke(name: Name, config: Config = None) -> None:
    """Have a token open nothing any more, at once; who listens with it is let go within seconds."""
    settings = read_settings(config)
    with _tokens(settings) as tokens:
        now = datetime.now(UTC)
        revoked = tokens.revoke(name, who_types(), now)
        known = [token.name for token in tokens.listed(now)]
    if not revoked:
        hint = did_you_mean(name, known, "`callrouter token list` shows which there are")
        _end(f"no token is called `{name}`; {hint}", FAILED)
    typer.echo(f"{name} is revoked")
    _tell(settings)


def _check(name: str, role: Role, client: str | None, person: str | None, settings: Settings) -> None:
    """End the command where there can be no such token."""
    if not name.isprintable() or not name.strip() or len(name) > LONGEST_NAME:
        _end(f"a token's name is text of 1 to {LONGEST_NAME} letters", WRONG)
    wrong = what_is_wrong(role, client, person)
    if wrong is not None:
        _end(wrong, WRONG)
    rules = rules_file(settings).load()
    if client is None or isinstance(rules, RuleErrors):
        return
    if client not in rules.clients:
        hint = did_you_mean(client, rules.clients, "`callrouter show` lists them")
        _end(f"no client is called `{client}`; {hint}", WRONG)
    people = rules.clients[client].people
    if person is not None and person not in people:
        hint = did_you_mean(person, people, "write the id of one of its `people`")
        _end(f"{client} has nobody called `{person}`; {hint}", WRONG)


def _until(length: str, now: datetime) -> datetime | None:
    if not length:
        return None
    try:
        until = now + timedelta(seconds=Duration.parse(length).seconds)
        if until == now:
            raise ValueError(f"`{length}` is no time at all; write it as in 90d or 12h")
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(str(error), param_hint="--for") from error
    return until


@contextmanager
def _tokens(settings: Settings) -> Iterator[Tokens]:
    """Those of the router's database; ends the command if there is none."""
    try:
        with closing(Tokens(settings.database_url)) as tokens:
            yield tokens
    except StoreError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from error


def _tell(settings: Settings) -> None:
    """Have the running router know at once."""
    try:
        tell(settings.web, TOKENS)
    except NoDaemonError as error:
        typer.echo(f"written down; it counts from the router's next start: {error}", err=True)


def _end(text: str, status: int) -> None:
    typer.echo(text, err=True)
    raise typer.Exit(status)


def _words(token: Token) -> str:
    parts = (
        f"{token.name}: {token.role.value}",
        f"for {token.client}" if token.client else "for all clients",
        f"and {token.person} only" if token.person else "",
        f"until {moment(token.until)}" if token.until else "until revoked",
    )
    return " ".join(filter(None, parts))


def _row(token: Token) -> tuple[str, ...]:
    return (
        token.name,
        token.role.value,
        token.client or "all",
        token.person or "-",
        moment(token.made_at),
        token.made_by,
        moment(token.until) if token.until else "-",
        f"{moment(token.revoked_at)} by {token.revoked_by}" if token.revoked_at else "-",
    )


def _as_object(token: Token) -> dict[str, object]:
    found: dict[str, object] = msgspec.to_builtins(token)
    del found["hash"]
    return found
