"""The demonstration's table: who calls which number and does what, and what must become of the call."""

from typing import NamedTuple

from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase
from tests.harness import sipp
from tests.harness.sipp import (
    ANSWERED,
    CALLED,
    CANCEL,
    CANCELLED,
    HUNG_UP_ON,
    INVITE,
    PICK_UP,
    RINGING,
    RINGS,
    Move,
    pause,
)

CLIENT = "+47220001"
"""The first digits of the client's numbers; two more follow."""

PHONES: dict[int, tuple[Move, ...]] = {
    100: (CALLED, RINGING, pause(0.5), PICK_UP, HUNG_UP_ON),
    101: (CALLED, RINGING, pause(1), PICK_UP, HUNG_UP_ON),
    102: (CALLED, sipp.reject(486)),
    103: (CALLED, RINGING, CANCELLED),
    104: (CALLED, RINGING, pause(0.5), sipp.reject(603)),
    106: (CALLED, RINGING, PICK_UP, pause(1), sipp.hang_up()),
    107: (CALLED, RINGING, pause(0.5), PICK_UP, pause(1), sipp.hang_up()),
    108: (CALLED, RINGING, CANCELLED),
}
"""What each softphone does when it is called. 105 is not registered."""

TRUNK: tuple[Move, ...] = (CALLED, RINGING, pause(0.5), PICK_UP, HUNG_UP_ON)
"""What the far end of the trunk does."""


class Story(NamedTuple):
    """One call: what happens, the last two digits dialled, the caller's moves, what must be written down."""

    what: str
    dialled: str
    moves: tuple[Move, ...]
    disposition: str
    reason: str = ""
    hung_up_by: str = "caller"
    attempts: str = ""
    """As shown: `kari answered, ola busy`."""
    user: str = "+4790000009"
    acts: tuple[tuple[str, str | float], ...] = ()
    """What is heard, and the keys pressed or seconds spoken then; without anything heard, after a moment."""


ASKED = "Press 1 for appointments, 2 for prescriptions, or 3 to leave a message."


def _said(which: Phrase) -> str:
    return phrase("en", "formal", which).text


_TALK = (INVITE, ANSWERED, pause(1), sipp.bye())
_LISTEN = (INVITE, ANSWERED, HUNG_UP_ON)

_PATIENT = (INVITE, ANSWERED, pause(4), sipp.bye())
_GIVE_UP = (INVITE, RINGS, pause(1), CANCEL)
_SPAM = "+4781549123"

STORIES = (
    Story("talks with Kari, then hangs up", "02", _TALK, "answered", attempts="kari answered"),
    Story("talks with Hanne, who hangs up", "03", _LISTEN, "answered", "", "callee", "hasty answered"),
    Story("rings two phones, Ola is first", "04", _TALK, "answered",
          attempts="away answered_elsewhere, ola answered"),
    Story("finds Aksel out, so Ola", "05", _TALK, "answered", attempts="away no_answer, ola answered"),
    Story("reaches Mona's mobile by the trunk", "11", _TALK, "answered", attempts="mobile answered"),
    Story("finds Berit busy, so the mobile", "12", _TALK, "answered", attempts="busy busy, mobile answered"),
    Story("hears a greeting, then Kari", "13", _PATIENT, "answered", attempts="kari answered"),
    Story("finds Berit busy", "06", _LISTEN, "busy", "", "router", "busy busy"),
    Story("is declined by Randi", "07", _LISTEN, "no_answer", "declined", "router", "refuses declined"),
    Story("finds nobody", "08", _LISTEN, "no_answer", "", "router", "away no_answer"),
    Story("finds a phone unplugged", "09", _LISTEN, "failed", "unreachable", "router",
          "unplugged unreachable"),
    Story("gives up while it rings", "10", _GIVE_UP, "abandoned", attempts="away cancelled"),
    Story("calls when it is closed", "01", _LISTEN, "informed", "", "router"),
    Story("walks through a menu", "14", (sipp.INVITE_HEARING, ANSWERED, HUNG_UP_ON), "informed", "", "router",
          acts=((ASKED, "2"),)),
    Story("walks through it, leaves a message", "15", (sipp.INVITE_HEARING, ANSWERED, HUNG_UP_ON),
          "message_left", "", "router",
          acts=((ASKED, "3"), (_said(Phrase.LEAVE_MESSAGE), "#"), ("", 3.0), ("", "#"),
                (_said(Phrase.SEND_MESSAGE), "1"), (_said(Phrase.NUMBER_RIGHT), "1"))),
    Story("waits for an agent", "16", _LISTEN, "answered", "", "callee", "agnes answered"),
    Story("waits for the same agent", "17", _LISTEN, "answered", "", "callee", "agnes answered"),
    Story("gives up in a queue", "18", (INVITE, ANSWERED, pause(2), sipp.bye()), "abandoned", "", "caller",
          "absent cancelled"),
    Story("is a telemarketer", "02", (INVITE, sipp.refused(403)), "blocked", "telemarketers", "router",
          user=_SPAM),
    Story("calls a number of nobody", "99", (INVITE, sipp.refused(404)), "failed", "no_route", "router"),
)  # fmt: skip
