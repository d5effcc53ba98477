"""Contacts in the database: written by commands, read by them and by the router."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from router.core.contacts import Contact, Entry
from router.edge.store.database import Access, begin
from router.edge.store.tables import CALLS, CONTACTS

AT_ONCE = 1000
"""Entries that are read by one statement where there may be very many. As single rows they would cost the
router far more: see bulk.py."""

_PAGE = msgspec.json.Decoder(list[tuple[str, str, str, str, str]])
_GROUPS = msgspec.json.Decoder(tuple[str, ...])
_encode = msgspec.json.Encoder().encode

_Key = tuple[str, str]
"""Number and client; an empty one is all clients."""


class Kept(NamedTuple):
    """An entry, with who wrote it last, and when."""

    entry: Entry
    changed_at: datetime
    changed_by: str


class Changes(NamedTuple):
    """What became, or would become, of the entries that were there, and of others."""

    new: int
    changed: int
    same: int
    removed: int


class Forgotten(NamedTuple):
    """What was erased of one number."""

    entries: tuple[Entry, ...]
    calls: int
    """Whose caller had a name that was kept with them."""
    names: tuple[str, ...]
    """All that were erased."""


class Contacts(Access):
    """Those of one database."""

    def of(self, number: str) -> list[Kept]:
        """All that is known of a number: by all clients first, then by each."""
        chosen = select(CONTACTS).where(CONTACTS.c.number == number).order_by(CONTACTS.c.client)
        with begin(self._reading) as connection:
            return [_kept(row) for row in connection.execute(chosen)]

    def every(self, client: str | None = None, *, after: _Key = ("", "")) -> Iterator[Entry]:
        """All, or those of one client; in the order of their numbers, those behind `after`."""
        key = (CONTACTS.c.number, CONTACTS.c.client)
        chosen = select(CONTACTS).where(tuple_(*key) > after).order_by(*key)
        if client is not None:
            chosen = chosen.where(CONTACTS.c.client == client)
        with begin(self._reading) as connection:
            for row in connection.execution_options(yield_per=AT_ONCE).execute(chosen):
                yield _entry(row)

    def count(self) -> int:
        """How many there are."""
        with begin(self._reading) as connection:
            return connection.execute(select(func.count()).select_from(CONTACTS)).scalar_one()

    def add(self, entry: Entry, who: str, now: datetime) -> bool:
        """Write a new one down; False where there is one, which stays."""
        with begin(self._writing) as connection:
            insert = _insert(connection).values(_values(entry, who, now)).on_conflict_do_nothing()
            return connection.execute(insert.returning(CONTACTS.c.number)).first() is not None

    def put(self, entry: Entry, who: str, now: datetime) -> None:
        """Write one down, in the place of one that is there."""
        with begin(self._writing) as connection:
            _write(connection, [entry], (), who, now)

    def change(self, entry: Entry, who: str, now: datetime) -> bool:
        """Put it in the place of the one that is there; False where there is none any more."""
        with begin(self._writing) as connection:
            changed = update(CONTACTS).where(_is(_key(entry))).values(_values(entry, who, now))
            return bool(connection.execute(changed).rowcount)

    def remove(self, entry: Entry) -> bool:
        """Take one out; False where it is not there."""
        with begin(self._writing) as connection:
            return bool(connection.execute(delete(CONTACTS).where(_is(_key(entry)))).rowcount)

    def take(
        self,
        entries: Sequence[Entry],
        who: str,
        now: datetime,
        *,
        fields: Collection[str] = Entry.__struct_fields__,
        replaces: Collection[str | None] = (),
        dry_run: bool = False,
    ) -> Changes:
        """Write all of these, in the place of those that are there of the same numbers, whose other fields
        than `fields` stay; or say only what that would change. Those that `replaces` names and that are not
        among them go. All or nothing."""
        engine = self._reading if dry_run else self._writing
        with begin(engine) as connection:
            there = {_key(entry): entry for entry in map(_entry, connection.execute(select(CONTACTS)))}
            wanted = {_key(entry): _with_fields(there.get(_key(entry)), entry, fields) for entry in entries}
            changed = [entry for key, entry in wanted.items() if there.get(key) not in (None, entry)]
            new = [entry for key, entry in wanted.items() if key not in there]
            gone = [key for key, old in there.items() if old.client in replaces and key not in wanted]
            if not dry_run:
                _write(connection, [*new, *changed], gone, who, now)
        return Changes(len(new), len(changed), len(wanted) - len(new) - len(changed), len(gone))

    def forget(self, number: str) -> Forgotten:
        """Take out all that is known of a number, with the names that are kept with its calls."""
        named = or_(CALLS.c.name != "", CALLS.c.display != "")
        with begin(self._writing) as connection:
            there = connection.execute(select(CONTACTS).where(CONTACTS.c.number == number)).all()
            connection.execute(delete(CONTACTS).where(CONTACTS.c.number == number))
            nameless = update(CALLS).where(CALLS.c.caller == number, named).values(name="", display="")
            known = connection.execute(select(CALLS.c.name).distinct().where(CALLS.c.caller == number))
            names = {*known.scalars(), *(row.name for row in there)} - {""}
            calls = connection.execute(nameless).rowcount
        return Forgotten(tuple(map(_entry, there)), calls, tuple(sorted(names)))

    def for_calls(self, number: str = "") -> Iterator[tuple[str, str, Contact]]:
        """What calls need to know of all, or of one number: number, client (empty: all clients), contact."""
        known: dict[str, frozenset[str]] = {}
        with begin(self._reading) as connection:
            last: _Key = ("", "")
            while True:
                page = _PAGE.decode(connection.execute(_page(connection, last, number)).scalar_one())
                for row in page:
                    groups = known.get(row[3])
                    if groups is None:
                        groups = known[row[3]] = frozenset(_GROUPS.decode(row[3]))
                    yield row[0], row[1], Contact(row[2], groups, row[4])
                if len(page) < AT_ONCE:
                    return
                last = max((row[0], row[1]) for row in page)


def _page(connection: Connection, last: _Key, number: str) -> Select[Any]:
    """As one text, what calls need to know of the next entries after `last`; of one number only, if given."""
    columns = CONTACTS.c
    key = (columns.number, columns.client)
    wanted = select(*key, columns.name, columns.groups, columns.language).where(tuple_(*key) > last)
    if number:
        wanted = wanted.where(columns.number == number)
    page = wanted.order_by(*key).limit(AT_ONCE).subquery()
    if connection.dialect.name == "sqlite":
        return select(func.json_group_array(func.json_array(*page.c)))
    rows = func.json_agg(func.json_build_array(*page.c))
    return select(func.coalesce(cast(rows, Text), "[]"))


def _write(
    connection: Connection, entries: Sequence[Entry], gone: Iterable[_Key], who: str, now: datetime
) -> None:
    if entries:
        insert: Any = _insert(connection)
        names = [column.name for column in CONTACTS.c if not column.primary_key]
        renewed = {name: insert.excluded[name] for name in names}
        put = insert.on_conflict_do_update(index_elements=[*CONTACTS.primary_key], set_=renewed)
        connection.execute(put, [_values(entry, who, now) for entry in entries])
    keys = [{"gone_number": number, "gone_client": client} for number, client in gone]
    if keys:
        one = and_(
            CONTACTS.c.number == bindparam("gone_number"), CONTACTS.c.client == bindparam("gone_client")
        )
        connection.execute(delete(CONTACTS).where(one), keys)


def _insert(connection: Connection) -> Any:
    # Both dialects' Insert have the ON CONFLICT methods, but no common type declares them.
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(CONTACTS)


def _with_fields(old: Entry | None, new: Entry, fields: Collection[str]) -> Entry:
    """The new one, which has all others than these fields of the old one, if there is one."""
    others = [name for name in Entry.__struct_fields__ if name not in (*fields, "number", "client")]
    if old is None or not others:
        return new
    return replace(new, **{name: getattr(old, name) for name in others})


def _key(entry: Entry) -> _Key:
    return entry.number, entry.client or ""


def _is(key: _Key) -> ColumnElement[bool]:
    return and_(CONTACTS.c.number == key[0], CONTACTS.c.client == key[1])


def _values(entry: Entry, who: str, now: datetime) -> Mapping[str, Any]:
    return {
        "number": entry.number,
        "client": entry.client or "",
        "name": entry.name,
        "groups": _encode(entry.groups).decode(),
        "language": entry.language,
        "notes": entry.notes,
        "changed_at": now,
        "changed_by": who,
    }


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        row.number, row.client or None, row.name, _GROUPS.decode(row.groups), row.language, row.notes
    )


def _kept(row: Row[Any]) -> Kept:
    return Kept(_entry(row), row.changed_at, row.changed_by)
