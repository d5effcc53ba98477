"""`queue`: waiting for an agent, which the call machine does not carry out itself.

The machine says what is to be done (Perform), and waits for what comes of it (StepEnded): the call is
settled, or goes on by one of the step's ways (plan.ways_on). Who is told of a step that nobody can do answers
NOT_BUILT. That is noted, and the call goes on with the next step, so it leaves no caller waiting.
"""

from datetime import datetime

from msgspec.structs import replace

from router.core.call import NOT_BUILT, Call, Performing, Settled, Turn, with_evidence, with_flag
from router.core.commands import Perform
from router.core.events import CallEvent, RouterReturned, StepEnded
from router.core.plan import OTHERWISE, Step
from router.core.record import Disposition, Evidence

ANSWERED = "answered"
"""Outcome of a queue, by which the caller reached somebody and talked."""


def enter(call: Call, now: datetime) -> Turn:
    """Have the step carried out that the call has come to."""
    return Turn(replace(call, state=Performing()), (_perform(call),))


def advance(call: Call, state: Performing, event: CallEvent, now: datetime) -> Turn:
    """Go on when it is over."""
    match event:
        case StepEnded(position, outcome, by) if position == call.position:
            return _ended(call, outcome, by, now)
        case RouterReturned():
            return Turn(call, (_perform(call),))
        case _:
            # Of other steps: StepEnded, PlaybackEnded, TimerFired, and the legs that they rang.
            return Turn(call)


def _perform(call: Call) -> Perform:
    assert call.position is not None
    return Perform(call.position, call.step)


def _ended(call: Call, outcome: str, by: str, now: datetime) -> Turn:
    if outcome == NOT_BUILT:
        noted = with_evidence(with_flag(call, NOT_BUILT), Evidence(now, NOT_BUILT, detail=name_of(call.step)))
        return Turn(noted, outcome=OTHERWISE)
    if outcome == ANSWERED:
        return Turn(call, outcome=Settled(Disposition.ANSWERED, by))
    return Turn(with_evidence(call, Evidence(now, "queue_ended", detail=outcome)), outcome=outcome)


def name_of(step: Step) -> str:
    """What a step is called in evidence: its tag."""
    return str(step.__struct_config__.tag)
