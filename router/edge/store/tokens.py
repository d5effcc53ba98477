"""Tokens in the database: made and revoked by commands, read by the router. Nothing is ever deleted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, insert, or_, select, update

from router.core.access import Role, Token
from router.edge.store.database import Access, begin
from router.edge.store.tables import TOKENS

_COLUMNS = tuple(TOKENS.c[name] for name in Token.__struct_fields__)


class Tokens(Access):
    """Those of one database."""

    def add(self, token: Token, now: datetime) -> bool:
        """Write a new one down; False where one of that name holds."""
        with begin(self._writing) as connection:
            taken = select(TOKENS.c.id).where(_holding(now), TOKENS.c.name == token.name)
            if connection.execute(taken).first() is not None:
                return False
            connection.execute(insert(TOKENS).values(_values(token)))
        return True

    def revoke(self, name: str, who: str, now: datetime) -> bool:
        """Have the one of that name open nothing any more; False where there is none that does."""
        ended = update(TOKENS).where(_holding(now), TOKENS.c.name == name)
        with begin(self._writing) as connection:
            return connection.execute(ended.values(revoked_at=now, revoked_by=who)).rowcount > 0

    def listed(self, now: datetime, *, every: bool = False) -> Sequence[Token]:
        """Those that hold, in the order they were made; `every` also those that do not any more."""
        wanted = select(*_COLUMNS).order_by(TOKENS.c.id)
        with begin(self._reading) as connection:
            rows = connection.execute(wanted if every else wanted.where(_holding(now))).all()
        return [_token(row) for row in rows]


def _holding(now: datetime) -> ColumnElement[bool]:
    return TOKENS.c.revoked_at.is_(None) & or_(TOKENS.c.until.is_(None), TOKENS.c.until > now)


def _values(token: Token) -> dict[str, object]:
    return {name: getattr(token, name) for name in Token.__struct_fields__} | {"role": token.role.value}


def _token(row: Row[Any]) -> Token:
    return Token(**(dict(row._mapping) | {"role": Role(row.role)}))
