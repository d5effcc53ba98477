"""When agents come and go, in the database: written by commands and by the router, never changed."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, true

from router.core import notices
from router.core.agents import AgentChange, Change, Weighed, standing_after, weigh
from router.edge.store.database import Access, begin, take_turn
from router.edge.store.outbox import ANY_ROUTER, tell
from router.edge.store.tables import AGENT_CHANGES

_COLUMNS = tuple(AGENT_CHANGES.c[name] for name in AgentChange.__struct_fields__)


class AgentChanges(Access):
    """Those of one database."""

    def add(self, change: AgentChange) -> AgentChange:
        """Write a new one down, and have other systems told of it; it comes back with its id."""
        with begin(self._writing) as connection:
            take_turn(connection)
            return _add(connection, change)

    def ask(self, change: AgentChange) -> Weighed:
        """Write it down if it can be made, as the agent stands by what is written down."""
        theirs = (AGENT_CHANGES.c.client == change.client) & (AGENT_CHANGES.c.person == change.person)
        with begin(self._writing) as connection:
            take_turn(connection)
            weighed = weigh(change, standing_after(_latest(connection, theirs)))
            if weighed.made:
                _add(connection, change)
        return weighed

    def since(self, id: int) -> Sequence[AgentChange]:
        """All after that one, in the order they were made."""
        with begin(self._reading) as connection:
            chosen = select(*_COLUMNS).where(AGENT_CHANGES.c.id > id).order_by(AGENT_CHANGES.c.id)
            return [_change(row) for row in connection.execute(chosen)]

    def latest(self) -> Sequence[AgentChange]:
        """How each agent stands, in the order in which it was said: whether logged in, and paused."""
        with begin(self._reading) as connection:
            return _latest(connection, true())


def _add(connection: Connection, change: AgentChange) -> AgentChange:
    values = {name: getattr(change, name) for name in AgentChange.__struct_fields__ if name != "id"}
    made = _change(connection.execute(insert(AGENT_CHANGES).values(values).returning(*_COLUMNS)).one())
    tell(connection, ANY_ROUTER, notices.of_agent(made))
    return made


def _latest(connection: Connection, wanted: ColumnElement[bool]) -> Sequence[AgentChange]:
    is_pause = AGENT_CHANGES.c.change.in_((Change.PAUSED, Change.RESUMED))
    which = (AGENT_CHANGES.c.client, AGENT_CHANGES.c.person, is_pause)
    last = select(func.max(AGENT_CHANGES.c.id)).where(wanted).group_by(*which)
    chosen = select(*_COLUMNS).where(AGENT_CHANGES.c.id.in_(last)).order_by(AGENT_CHANGES.c.id)
    return [_change(row) for row in connection.execute(chosen)]


def _change(row: Row[Any]) -> AgentChange:
    return AgentChange(**(dict(row._mapping) | {"change": Change(row.change)}))
