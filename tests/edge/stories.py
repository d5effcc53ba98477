"""Calls to write down and read back, told in few words."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep

import msgspec
from sqlalchemy import create_engine, insert

from router.core.events import CallEvent, HangupRequested, LegAnswered, LegEnded, LegRinging
from router.core.plan import CallPlan, HangUp, PlanNode
from router.core.record import (
    Attempt,
    AttemptOutcome,
    CallInfo,
    CallRecord,
    Disposition,
    Evidence,
    Party,
    Phase,
    Talk,
    TalkEnd,
)
from router.core.trace import TraceRow
from router.edge.store.tables import OBLIGATIONS

TEN = datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC)
"""When calls arrive, unless told otherwise."""
PLAN = CallPlan((PlanNode(HangUp()),))
TRACE = (TraceRow("route", "main", "fjord.yaml:31", True),)
TALK: tuple[CallEvent, ...] = (LegRinging(1), LegAnswered(1), HangupRequested(0, 16), LegEnded(0, 16, 200))


def a_call(id: str = "c1", *, at: datetime = TEN, client: str | None = "fjord", **changes: str) -> CallInfo:
    info = CallInfo(
        id=id,
        asterisk_id="ast1",
        asterisk_started="2026-11-20T08:00:00.000+0000",
        channel=f"channel-of-{id}",
        dialled="+4722334455",
        caller="+4790000001",
        client=client,
        route="main",
        rules_version="r1",
        arrived_at=at,
    )
    return msgspec.structs.replace(info, **changes)


def a_code(id: str = "k1", *, at: datetime = TEN, client: str | None = "fjord", **changes: str) -> CallInfo:
    """A feature code: an agent said what came of a call."""
    keyed_in = {"dialled": "code12", "caller": "100", "route": "agent code kept"}
    return a_call(id, at=at, client=client, **(keyed_in | changes))


def informed(call: CallInfo) -> CallRecord:
    """The story of who heard a sentence, and was hung up on."""
    end = call.arrived_at + timedelta(seconds=2)
    return CallRecord(call, Disposition.INFORMED, Phase.CLOSING, Party.ROUTER, end)


def talked(call: CallInfo, *, seconds: float = 65.0) -> CallRecord:
    """The story of a call in which kari was busy and ola answered."""
    start = call.arrived_at
    talk = start + timedelta(seconds=6)
    end = talk + timedelta(seconds=seconds)
    return CallRecord(
        info=call,
        disposition=Disposition.ANSWERED,
        phase=Phase.TALKING,
        hung_up_by=Party.CALLER,
        ended_at=end,
        answered_by="ola",
        answered_at=talk,
        ring_seconds=4.0,
        wait_seconds=6.0,
        talk_seconds=seconds,
        hold_seconds=2.0,
        attempts=(
            Attempt(
                1,
                "kari",
                "PJSIP/kari",
                AttemptOutcome.BUSY,
                start,
                start + timedelta(seconds=1),
                cause=17,
                tech_cause=486,
            ),
            Attempt(
                2, "ola", "PJSIP/ola", AttemptOutcome.ANSWERED, start, end, start + timedelta(seconds=2), talk
            ),
        ),
        evidence=(
            Evidence(end, "hangup_requested", 0, 16),
            Evidence(end, "left", 2, soft=True, detail="late"),
        ),
        flags=("glare",),
        talks=(
            Talk(2, "ola", talk, talk + timedelta(seconds=5), TalkEnd.BLIND_TRANSFER, 2.0),
            Talk(3, "per", talk + timedelta(seconds=5), end, TalkEnd.HUNG_UP),
        ),
    )


def abandoned(call: CallInfo) -> CallRecord:
    """The story of a call whose caller left at once."""
    return CallRecord(
        call,
        Disposition.ABANDONED,
        Phase.GREETING,
        Party.CALLER,
        call.arrived_at + timedelta(seconds=3),
        "early",
    )


def encoded(values: Iterable[object]) -> list[bytes]:
    """As the database has them."""
    return [msgspec.json.encode(value) for value in values]


def eventually(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for what another thread does; fails if it does not."""
    deadline = monotonic() + seconds
    while not holds():
        assert monotonic() < deadline, "it did not happen"
        sleep(0.002)


def owe(url: str, call: str, owner: str, client: str = "fjord", number: str = "+4790000002") -> int:
    """Have it written down that somebody is to call back after a call; the obligation's id."""
    values = {
        "call_id": call,
        "follow_up": "missed",
        "client": client,
        "number": number,
        "caller": number,
        "owner": owner,
        "why": "abandoned",
        "made_at": TEN,
        "due_at": TEN + timedelta(hours=1),
    }
    engine = create_engine(url)
    with engine.begin() as connection:
        made = connection.execute(insert(OBLIGATIONS).values(values).returning(OBLIGATIONS.c.id)).scalar_one()
    engine.dispose()
    return int(made)
