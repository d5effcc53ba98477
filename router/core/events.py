"""Events: what happened to a call, in the past tense. All that the call machine ever learns comes as one of
these.

Legs are numbered within their call: leg 0 is the caller's, legs 1, 2, ... are the phones we rang, in order.
Every event is journalled as JSON under its tag, so a tag never changes its meaning; new facts get new tags or
new optional fields.
"""

from datetime import datetime

import msgspec

from router.core.plan import CallPlan, Prompt


class Event(msgspec.Struct, frozen=True, omit_defaults=True, tag=True, tag_field="event"):
    """What all events share: they are frozen, and are told apart by their class name in the journal."""


class LegReady(Event, frozen=True):
    """A leg we created has entered our application: it may be dialled now. (StasisStart of that leg.)"""

    leg: int


class LegRinging(Event, frozen=True):
    """The phone of a leg rings. (ChannelStateChange to Ringing.)"""

    leg: int


class LegAnswered(Event, frozen=True):
    """A leg is connected: a phone was answered, or, for leg 0, the caller's side has our answer.

    (ChannelStateChange to Up: the only proof of an answer; a 204 from `/answer` is none.)
    """

    leg: int


class HangupRequested(Event, frozen=True):
    """Somebody or something asks a leg to end. (ChannelHangupRequest.)

    `soft` is set where Asterisk itself asks; then `cause` is a soft-hangup flag (32 = ARI or CLI, 1 = device,
    such as the RTP timeout), otherwise it is the Q.850 cause of the far end's BYE or CANCEL.
    """

    leg: int
    cause: int = 0
    soft: bool = False


class LegLeft(Event, frozen=True):
    """A leg left our application. Without a HangupRequested before it, it went back to the dialplan.
    (StasisEnd.)"""

    leg: int


class LegEnded(Event, frozen=True):
    """A leg's channel is gone. `cause` is Q.850, `tech_cause` the SIP status where there was one.
    (ChannelDestroyed.)"""

    leg: int
    cause: int = 0
    tech_cause: int = 0


class LegLost(Event, frozen=True):
    """A leg's channel was found gone, its end unseen. `since` is when the router last saw Asterisk."""

    leg: int
    since: datetime | None = None


class PlaybackEnded(Event, frozen=True):
    """A prompt is over; `failed` where Asterisk could not play it. (PlaybackFinished.)"""

    playback: int
    failed: bool = False


class KeyPressed(Event, frozen=True):
    """Somebody pressed a key: 0 to 9, `*` or `#`. (ChannelDtmfReceived, when the key is let go.)"""

    leg: int
    key: str


class RecordingEnded(Event, frozen=True):
    """A recording is over. `seconds` is how long somebody spoke; `failed` where Asterisk could not record.
    (RecordingFinished, RecordingFailed.)"""

    recording: int
    seconds: float = 0.0
    failed: bool = False


class NumberRead(Event, frozen=True):
    """`text` was read as a number to call back (core/returning.py): `number` is E.164, empty where there is
    none; `said` its digits as people say them; `own` is true of one of the client's own."""

    text: str
    number: str = ""
    said: str = ""
    own: bool = False


class Found(msgspec.Struct, frozen=True):
    """Somebody whom a caller may have looked for."""

    id: str
    said: tuple[Prompt, ...]
    """The name, as callers hear it."""


class PeopleFound(Event, frozen=True):
    """Who goes by `keys` in the client's directory (core/finding.py): at most as many as there are keys to
    choose by, and nobody where there are `more`."""

    keys: str
    people: tuple[Found, ...] = ()
    more: bool = False


class PersonChosen(Event, frozen=True):
    """The treatment of somebody whom the caller chose, as it was at that moment; empty where there is nobody
    of that id any more."""

    id: str
    plan: CallPlan


class QueueJoined(Event, frozen=True):
    """The caller waits in the queue."""


class QueueEnded(Event, frozen=True):
    """The caller is not to wait, or not any more, in the queue at that position of the plan: `outcome` is the
    way on (plan.ways_on). Where nobody is really rung (core/rehearsal.py) it may be `answered`, `by` an
    agent."""

    position: int
    outcome: str
    by: str = ""


class AgentOffered(Event, frozen=True):
    """An agent is to be rung for the caller."""

    agent: str


class OfferWithdrawn(Event, frozen=True):
    """An agent is to be rung no longer."""

    agent: str


class QueueTold(Event, frozen=True):
    """Which the caller is in the queue, from 1; and for how many seconds more, where that is known."""

    position: int
    wait: float | None = None


class AsteriskQueueJoined(Event, frozen=True):
    """The caller waits in a queue of Asterisk's own. (AMI: QueueCallerJoin, or an entry of QueueStatus.)"""


class AsteriskAgentCalled(Event, frozen=True):
    """Asterisk's queue rings one of its agents, by name, whose phone is `dial`. (AMI: AgentCalled.)"""

    agent: str
    dial: str


class AsteriskAgentMissed(Event, frozen=True):
    """An agent did not take the call; `rang` is false where the phone never did. (AMI: AgentRingNoAnswer.)"""

    agent: str
    dial: str
    rang: bool = True


class AsteriskAgentConnected(Event, frozen=True):
    """An agent has the call. (AMI: AgentConnect; or found so in a bridge, then with since when.)"""

    agent: str
    dial: str
    since: datetime | None = None


class AsteriskAgentLeft(Event, frozen=True):
    """An agent's talk of so many seconds is over, ended `by` the `caller`, by the `agent`, or by a `transfer`
    to somebody else. (AMI: AgentComplete.)"""

    by: str
    agent: str = ""
    talk: float = 0.0


class AsteriskAgentHungUp(Event, frozen=True):
    """The agent whom Asterisk's queue has put through hung up. (ARI: ChannelHangupRequest of the agent's
    channel, which AMI's AgentConnect names.)"""


class AsteriskQueueAbandoned(Event, frozen=True):
    """The caller waits no longer: hung up, or the time was over. (AMI: QueueCallerAbandon.)"""


class AsteriskQueueLeft(Event, frozen=True):
    """The caller waits no longer, for whatever reason. (AMI: QueueCallerLeave.)"""


class AsteriskQueueFollowed(Event, frozen=True):
    """Whether nothing was missed of what happened in Asterisk's queue since the caller last waited there."""

    whole: bool


class AsteriskQueueReturned(Event, frozen=True):
    """The caller is back from Asterisk's queue at that position of the plan: `outcome` is the way on
    (plan.ways_on), or `answered`. (StasisStart.)"""

    position: int
    outcome: str


class AsteriskQueueLed(Event, frozen=True):
    """The caller is back from Asterisk's queue as one who dials `to`: an agent there gave the caller to that
    number, or a key led to it. (StasisStart.)"""

    to: str
    """What the dialplan lets the caller in by: no more than a wish."""


class Supervised(Event, frozen=True):
    """A supervisor hears the talk from now on, `who` is one of the client's people, and is heard as `mode`
    says (core/supervision.py)."""

    who: str
    mode: str


class TimerFired(Event, frozen=True):
    """A timer that the machine had set ran out."""

    timer: str


class CommandFailed(Event, frozen=True):
    """Asterisk refused a command, or did not reply in time (status 0). `leg` is the leg it was for."""

    command: str
    leg: int
    status: int
    reason: str = ""


class TalkFound(Event, frozen=True):
    """A router that knew nothing of this call found its caller talking with a leg, whose phone is `dial`.

    `since` is when the younger of its channel and the bridge came to be.
    """

    leg: int
    dial: str
    since: datetime


class BridgeLost(Event, frozen=True):
    """Two people should be talking, and the bridge between them was found gone or not holding both."""


class RouterReturned(Event, frozen=True):
    """The router sees Asterisk again after a gap; what was missed has been told by the events before this
    one."""


class LegHeld(Event, frozen=True):
    """A party put the other on hold. (ChannelHold.)"""

    leg: int


class LegUnheld(Event, frozen=True):
    """... and took it back. (ChannelUnhold; also told of a leg that held nobody, when it is transferred.)"""

    leg: int


class TransferAsked(Event, frozen=True):
    """Who talks on a leg asked that the caller be put through to `to`, and has left the talk. In the leg's
    place Asterisk has put `channel`, which leads nowhere. (StasisStart with a replaced channel.)"""

    leg: int
    to: str
    """What was dialled for it: no more than a wish."""
    channel: str


class TransferLed(Event, frozen=True):
    """What a caller meets who is to be put through to `to` (core/transferring.py), never nothing. `refused`
    says why it is not whom was asked for, where it is not."""

    to: str
    plan: CallPlan
    refused: str = ""


class LegReplaced(Event, frozen=True):
    """Who talked on a leg has handed the talk to somebody else, who is `name` or, where nobody knows, a phone
    (`dial`); Asterisk's `channel` has taken the leg's place. (StasisStart with a replaced channel.)"""

    leg: int
    channel: str
    dial: str
    name: str = ""


class CallerReplaced(Event, frozen=True):
    """Who called from a phone of the house has put somebody else in their own place, who is at `dial` or
    behind a channel of Asterisk's own; `channel` is the caller's from now on. (BridgeAttendedTransfer.)"""

    channel: str
    dial: str


class CallerJoined(Event, frozen=True):
    """The caller has joined this call with another one, and so left it. (BridgeAttendedTransfer.)"""


class AsteriskLost(Event, frozen=True):
    """Asterisk went down, or came back as another process: every channel of the call is gone."""


CallEvent = (
    LegReady
    | LegRinging
    | LegAnswered
    | HangupRequested
    | LegLeft
    | LegEnded
    | LegLost
    | PlaybackEnded
    | KeyPressed
    | RecordingEnded
    | NumberRead
    | PeopleFound
    | PersonChosen
    | QueueJoined
    | QueueEnded
    | AgentOffered
    | OfferWithdrawn
    | QueueTold
    | AsteriskQueueJoined
    | AsteriskAgentCalled
    | AsteriskAgentMissed
    | AsteriskAgentConnected
    | AsteriskAgentLeft
    | AsteriskAgentHungUp
    | AsteriskQueueAbandoned
    | AsteriskQueueLeft
    | AsteriskQueueFollowed
    | AsteriskQueueReturned
    | AsteriskQueueLed
    | Supervised
    | TimerFired
    | CommandFailed
    | TalkFound
    | BridgeLost
    | LegHeld
    | LegUnheld
    | TransferAsked
    | TransferLed
    | LegReplaced
    | CallerReplaced
    | CallerJoined
    | RouterReturned
    | AsteriskLost
)
