"""`callrouter messages`: what callers left, listed, saved to a file, and marked done."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from router.cli.options import FAILED, MOST_LISTED, WRONG, Config, Json, read_settings
from router.cli.words import in_columns, moment, who_types
from router.edge.postbox import file_of
from router.edge.store.errors import StoreError
from router.edge.store.messages import Delivery, Messages, StoredMessage
from router.settings import Settings

app = typer.Typer(name="messages", add_completion=False, pretty_exceptions_enable=False)

Id = Annotated[str, typer.Argument(metavar="ID", help="The message's id, or the beginning of it.")]


@app.callback(invoke_without_command=True)
def list_messages(
    context: typer.Context,
    client: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this client's.", show_default=False)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Also those that are done.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST_LISTED, help="At most so many, the latest.")] = 50,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """List messages, and wishes to be called back, that nobody has dealt with; the latest first."""
    if context.invoked_subcommand is not None:
        return
    with _messages(read_settings(config)) as messages:
        listed = messages.listed(client, done=every, limit=limit)
    if as_json:
        for message, deliveries in listed:
            row = msgspec.to_builtins(message) | {"deliveries": msgspec.to_builtins(deliveries)}
            typer.echo(msgspec.json.encode(row).decode())
        return
    if not listed:
        typer.echo("no messages")
        return
    rows = [_row(*one) for one in listed]
    head = ("id", "left", "client", "for", "from", "call back", "length", "delivered")
    for line in in_columns([head, *rows]):
        typer.echo(line)


@app.command()
def save(
    id: Id,
    file: Annotated[Path, typer.Argument(help="Where to: a WAV file, 8 kHz.")],
    config: Config = None,
) -> None:
    """Save the recording of a message to a file, to hear it. Exit status 1 if there is none."""
    settings = read_settings(config)
    with _messages(settings) as messages:
        message = _one(messages, id)
    if message.fetched_at is None:
        why = "is gone" if message.lost_at else "is not here yet" if message.recording else "was not made"
        typer.echo(f"the recording of {message.call_id} {why}", err=True)
        raise typer.Exit(FAILED)
    kept = file_of(settings.messages, message.call_id)
    try:
        recording = kept.read_bytes()
    except OSError as error:
        typer.echo(f"{kept} cannot be read ({error.strerror}); run this beside the router", err=True)
        raise typer.Exit(FAILED) from error
    try:
        file.write_bytes(recording)
    except OSError as error:
        typer.echo(f"`{file}` cannot be written ({error.strerror}); name another file", err=True)
        raise typer.Exit(WRONG) from error


@app.command()
def done(id: Id, config: Config = None) -> None:
    """Mark a message as dealt with: it is not listed any more, but kept as long as the rules say."""
    with _messages(read_settings(config)) as messages:
        message = _one(messages, id)
        messages.done(message.call_id, who_types(), datetime.now(UTC))
    typer.echo(f"{message.call_id} is done")


@contextmanager
def _messages(settings: Settings) -> Iterator[Messages]:
    """Those of the router's database; ends the command if there is none."""
    try:
        with closing(Messages(settings.database_url)) as messages:
            yield messages
    except StoreError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from error


def _one(messages: Messages, prefix: str) -> StoredMessage:
    found = messages.find(prefix)
    if len(found) == 1:
        return found[0]
    what = "several messages' ids begin" if found else "no message's id begins"
    typer.echo(f"{what} with `{prefix}`; see `callrouter messages --all`", err=True)
    raise typer.Exit(FAILED)


def _row(message: StoredMessage, deliveries: list[Delivery]) -> tuple[str, ...]:
    length = "call back" if message.recording is None else f"{message.seconds:g} s"
    return (
        message.call_id,
        moment(message.left_at),
        message.client,
        ", ".join(message.addressees) or "-",
        message.who or "withheld",
        message.callback or "-",
        length,
        ", ".join(map(_delivered, deliveries)) or "-",
    )


def _delivered(delivery: Delivery) -> str:
    if delivery.taken_at is not None:
        return f"{delivery.address} at {moment(delivery.taken_at)}"
    why = f": {delivery.error}" if delivery.error else ""
    return f"{delivery.address} not yet{why}"
