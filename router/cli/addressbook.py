"""The address book, as the commands on contacts share it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import quote

import msgspec
import typer

from router.cli.daemon import NoDaemonError, tell
from router.cli.options import FAILED
from router.core.contacts import Entry
from router.core.languages import speaks
from router.edge.store.contacts import Contacts
from router.edge.store.errors import StoreError
from router.edge.web.health import CONTACTS
from router.settings import Settings

COLUMNS = ("number", "name", "groups", "language", "client", "notes")


@contextmanager
def opened(settings: Settings) -> Iterator[Contacts]:
    """The contacts of the router's database; ends the command where they cannot be used."""
    try:
        with closing(Contacts(settings.database_url)) as contacts:
            yield contacts
    except StoreError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from error


def tell_of(settings: Settings, number: str = "") -> None:
    """Have the running router read what is known of a number, or of all, so that the next call goes by it."""
    try:
        tell(settings.web, f"{CONTACTS}?number={quote(number, safe='')}" if number else CONTACTS)
    except NoDaemonError as error:
        typer.echo(f"written down; it counts from the router's next start: {error}", err=True)


def as_object(entry: Entry) -> dict[str, Any]:
    """An entry for JSON."""
    found: dict[str, Any] = msgspec.to_builtins(entry)
    return found


def in_json(row: object) -> str:
    """One line of JSON."""
    return msgspec.json.encode(row).decode()


def row(entry: Entry) -> Sequence[str]:
    """An entry in the order of COLUMNS; of notes the first line."""
    first, _, more = entry.notes.partition("\n")
    return (
        entry.number,
        entry.name or "-",
        ", ".join(entry.groups) or "-",
        entry.language or "-",
        entry.client or "(all)",
        f"{first} ..." if more else first,
    )


def whose(client: str | None) -> str:
    """`for fjord`, or `for all clients`."""
    return f"for {client}" if client else "for all clients"


def warn_of_languages(entries: Iterable[Entry]) -> None:
    """Tell of languages that callrouter itself does not speak, each once."""
    unspoken = Counter(one.language for one in entries if one.language and not speaks(one.language))
    for language, count in unspoken.items():
        who = "this contact hears" if count == 1 else f"{count} contacts hear"
        what = f"callrouter itself speaks no {language}, so {who} what all callers hear"
        typer.echo(f"warning: {what}", err=True)
