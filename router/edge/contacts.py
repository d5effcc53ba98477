"""Whom clients know callers as, in memory: read at the start, and again where commands say so.

A look-up waits for nothing. Until the database could be read, everybody is a stranger.
"""

import asyncio
from collections.abc import Callable, Iterable, Set
from contextlib import closing

from router.core.contacts import Contact
from router.edge.store.contacts import Contacts

_Books = dict[str, dict[str, Contact]]
"""Client -> number (E.164) -> contact."""

_ALL = ""
"""Stands for all clients."""


class AddressBook:
    """The contacts of all clients, in one database."""

    def __init__(self, database_url: str, speak: Callable[[Iterable[str]], None]) -> None:
        """`speak` is told which languages they speak."""
        self._url = database_url
        self._speak = speak
        self._books: _Books = {}
        self._shared: dict[str, Contact] = {}
        self._reading = asyncio.Lock()

    def find(self, client: str, number: str) -> Contact | None:
        """Whom a client knows by a number; None for a stranger."""
        own = self._books.get(client)
        found = None if own is None else own.get(number)
        return self._shared.get(number) if found is None else found

    async def read(self, number: str = "") -> int:
        """Read all anew, or what is known of one number; how many entries that is. Raises StoreError."""
        async with self._reading:  # What was read first must not be taken in last.
            books, languages = await asyncio.to_thread(self._read, number)
            if number:
                self._renew(number, books)
            else:
                self._books, self._shared = books, books.pop(_ALL, {})
            self._speak(languages)
        return sum(map(len, books.values())) + (0 if number else len(self._shared))

    def _renew(self, number: str, books: _Books) -> None:
        for book in (*self._books.values(), self._shared):
            book.pop(number, None)
        for client, found in books.items():
            book = self._shared if client == _ALL else self._books.setdefault(client, {})
            book.update(found)

    def _read(self, number: str) -> tuple[_Books, Set[str]]:
        with closing(Contacts(self._url)) as contacts:
            return _by_client(contacts.for_calls(number))


def _by_client(rows: Iterable[tuple[str, str, Contact]]) -> tuple[_Books, Set[str]]:
    """The books, and the languages of all in them."""
    books: _Books = {}
    languages: set[str] = set()
    for number, client, contact in rows:
        book = books.get(client)
        if book is None:
            book = books[client] = {}
        book[number] = contact
        languages.add(contact.language)
    return books, languages
