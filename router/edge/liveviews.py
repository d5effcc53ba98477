"""Live calls as the API and pages show them."""

import re
from collections.abc import Iterable
from datetime import datetime

import msgspec

from router.core.call import CALLER, Call, Leg, LegState, Talking
from router.core.keyedin import is_feature_code
from router.core.plan import AsteriskQueue, Queue
from router.core.record import Phase

_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
"""Where one ends, and another begins, in the name of a state of the call machine."""


class SeenPhone(msgspec.Struct, frozen=True):
    """A phone that rings for a caller, or talks with them."""

    target: str
    """A person's id, or what is dialled."""
    dial: str
    """Asterisk's dial string."""
    state: LegState
    since: datetime
    """When that was dialled, began to ring, or was answered."""


class SeenCall(msgspec.Struct, frozen=True):
    """A call that is not over, as it stands."""

    id: str
    client: str | None
    """None where nobody has the number that was called."""
    route: str | None
    dialled: str
    """E.164 where it could be read, else as dialled."""
    caller: str
    """E.164 where it could be read, else as sent; empty if withheld."""
    arrived_at: datetime
    phase: Phase
    """Where the caller is."""
    state: str
    """What happens to the caller there: saying, asking, messaging, searching, ringing, queueing,
    in_asterisk_queue, calling_back, talking, transferring or ending."""
    queue: str | None
    """The queue that the caller waits in."""
    talks_with: str | None
    """A person's id, or what was dialled."""
    talking_since: datetime | None
    phones: tuple[SeenPhone, ...]
    """Those that ring for the caller, or talk with them."""


def seen(calls: Iterable[Call]) -> list[SeenCall]:
    """These calls, who arrived first before the others. A feature code that is keyed in is none."""
    callers = (_seen(call) for call in calls if not is_feature_code(call.info))
    return sorted(callers, key=lambda call: (call.arrived_at, call.id))


def _seen(call: Call) -> SeenCall:
    info = call.info
    step = call.step if call.position is not None else None
    waits = call.phase is Phase.QUEUE and isinstance(step, Queue | AsteriskQueue)
    talks = call.talk_began is not None and call.phase is Phase.TALKING
    return SeenCall(
        info.id,
        info.client,
        info.route,
        info.dialled,
        info.caller,
        info.arrived_at,
        call.phase,
        _WORDS.sub("_", type(call.state).__name__).lower(),
        step.queue if waits and isinstance(step, Queue | AsteriskQueue) else None,
        _who_talks(call) if talks else None,
        call.talk_began if talks else None,
        tuple(_phone(leg) for leg in call.legs if leg.number != CALLER and not leg.gone),
    )


def _who_talks(call: Call) -> str | None:
    if isinstance(call.state, Talking):
        return call.legs[call.state.leg].target.name
    return call.settled.by if call.settled is not None else None


def _phone(leg: Leg) -> SeenPhone:
    since = leg.answered_at or leg.ringing_at or leg.started_at
    return SeenPhone(leg.target.name, leg.target.dial, leg.state, since)
