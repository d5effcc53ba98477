"""Who supervised which talk: what the call path hands to the writer, and how that is read."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Update, select, update

from router.core.supervision import Mode, Outcome, Stretch
from router.edge.store.database import Access, begin
from router.edge.store.tables import SUPERVISIONS, to_micros


class Supervised(msgspec.Struct, frozen=True, gc=False, tag=True):
    """A stretch of supervision began, ended or was refused; the later of two of the same counts."""

    router: str
    """Which router did it."""
    stretch: Stretch


class Unseen(msgspec.Struct, frozen=True, gc=False, tag=True):
    """What of a router's lasted at a moment has ended since, and nobody saw how."""

    router: str
    at: datetime


ENDING_COLUMNS = ("ended_at", "outcome")
SUPERVISION_COLUMNS = (
    "supervision",
    "number",
    "router",
    "client",
    "supervisor",
    "endpoint",
    "agent",
    "call_id",
    "mode",
    "began_at",
    "reason",
    *ENDING_COLUMNS,
)


def supervision_row(supervised: Supervised) -> tuple[str | int | None, ...]:
    """In the order of SUPERVISION_COLUMNS."""
    stretch = supervised.stretch
    return (
        stretch.supervision,
        stretch.number,
        supervised.router,
        stretch.client,
        stretch.supervisor,
        stretch.endpoint,
        stretch.agent,
        stretch.call_id,
        stretch.mode.value,
        to_micros(stretch.began),
        stretch.reason,
        None if stretch.ended is None else to_micros(stretch.ended),
        None if stretch.outcome is None else stretch.outcome.value,
    )


def ended_unseen(unseen: Unseen) -> Update:
    """The statement for it."""
    lasting = SUPERVISIONS.c.outcome.is_(None) & (SUPERVISIONS.c.began_at <= unseen.at)
    ours = SUPERVISIONS.c.router == unseen.router
    return update(SUPERVISIONS).where(ours & lasting).values(outcome=Outcome.UNOBSERVED.value)


class SupervisionAudit(Access):
    """Those of one database, for reading."""

    def latest(self, client: str | None, limit: int) -> Sequence[Stretch]:
        """The latest so many, the last first; those of one client, if given."""
        chosen = select(SUPERVISIONS).order_by(
            SUPERVISIONS.c.began_at.desc(), SUPERVISIONS.c.supervision, SUPERVISIONS.c.number.desc()
        )
        if client is not None:
            chosen = chosen.where(SUPERVISIONS.c.client == client)
        with begin(self._reading) as connection:
            return [
                Stretch(
                    row.supervision,
                    row.number,
                    row.client,
                    row.supervisor,
                    row.endpoint,
                    row.agent,
                    row.call_id,
                    Mode(row.mode),
                    row.began_at,
                    row.ended_at,
                    None if row.outcome is None else Outcome(row.outcome),
                    row.reason,
                )
                for row in connection.execute(chosen.limit(limit))
            ]
