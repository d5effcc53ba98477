"""The dead-man timers of a call in which a caller waits.

They run in Asterisk, on the caller and on each unanswered leg; here is when they are set anew and lifted
(edge/deadmen.py: how). Two people who talk have none, for their talk outlives us.
"""

from router.core.call import (
    Asking,
    Call,
    CallingBack,
    Commands,
    Messaging,
    Queueing,
    Ringing,
    Saying,
    Searching,
    Transferring,
)
from router.core.commands import CancelTimer, LiftDeadMan, SetDeadMan, SetTimer

TIMER = "dead_man"
"""The timer that has the dead-man timers in Asterisk set anew."""

REFRESH = 3.8
"""Seconds between two settings of a dead-man timer: with those that a setting may wait (edge/deadmen.py) at
most half the length of the shortest timer that can be chosen, so that one lost command does no harm."""

WAITING = Saying | Asking | Messaging | Searching | Ringing | Queueing | CallingBack | Transferring
"""The states in which a caller waits for somebody or something."""


def set_anew(call: Call) -> Commands:
    """Set the dead-man timers anew while the caller waits."""
    if not isinstance(call.state, WAITING):
        return ()
    legs = tuple(leg.number for leg in call.legs[1:] if not leg.gone and leg.intent is None)
    return SetDeadMan(legs), SetTimer(TIMER, REFRESH)


def lift(partner: int) -> Commands:
    """Lift those of the caller and of this leg, who talk: the talk outlives us."""
    return (CancelTimer(TIMER), LiftDeadMan(partner))
