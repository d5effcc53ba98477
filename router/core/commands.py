"""Commands: what the call machine wants done, in the imperative. The edge turns them into ARI requests and
timers.

A command names legs, bridges and playbacks by their number within the call; the edge makes Asterisk's ids
from the call's id and that number, so repeating a command is safe.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from router.core.plan import AsteriskQueue, Prompt, Queue, SpeakName, Target
from router.core.record import CallRecord
from router.core.tags import CallTag


class Recorded(msgspec.Struct, frozen=True, tag="recorded"):
    """What the caller has said, to be heard again."""

    recording: int


Heard = Prompt | SpeakName | Recorded
"""What can be played to a caller."""


class HangupReason(StrEnum):
    """Why we end a leg. The edge makes the hangup cause of it, and so the SIP status or Reason header at the
    far end."""

    NORMAL = "normal"
    """the plan is over"""
    CALL_OVER = "call_over"
    """the other side ended the talk"""
    CALLER_LEFT = "caller_left"
    NO_ANSWER = "no_answer"
    """it rang as long as it may"""
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    COMMAND_FAILED = "command_failed"
    BUSY = "busy"
    DECLINE = "decline"
    UNKNOWN_NUMBER = "unknown_number"
    DECLINED_BY_KEY = "declined_by_key"
    """who answered does not want the call"""
    WITHDRAWN = "withdrawn"
    """an agent is not to be rung for this caller any more"""
    TRANSFERRED = "transferred"
    """who talked on it gave the caller to somebody else"""
    NOT_TAKEN = "not_taken"
    """who answered did not press the key that takes the call; a mailbox, perhaps"""


class Command(msgspec.Struct, frozen=True, tag=True, tag_field="command"):
    """What all commands share."""


class IndicateRinging(Command, frozen=True):
    """Let the caller hear ringing."""


class StopRinging(Command, frozen=True):
    """End it, for a caller who is answered: Asterisk itself makes the tone then, in a bridge too, and goes on
    until the other side is heard."""


class StartMusic(Command, frozen=True):
    """Let the caller hear music on hold, in the call's bridge."""

    music: str
    """Its class, in Asterisk's musiconhold.conf."""


class StopMusic(Command, frozen=True):
    """End it."""


class AnswerCaller(Command, frozen=True):
    """Answer the caller's channel."""


class CreateLeg(Command, frozen=True):
    """Make a channel to the target, with the dead-man timer on it from birth; it is dialled once ready."""

    leg: int
    target: Target


class DialLeg(Command, frozen=True):
    """Send the INVITE of a leg that is ready. `timeout` (seconds) is Asterisk's own limit, behind ours."""

    leg: int
    timeout: float


class OpenBridge(Command, frozen=True):
    """Make the call's bridge and put the caller into it: prompts are played there.

    A channel that plays by itself can do nothing else meanwhile: Asterisk's thread for it is busy playing. A
    request to set its dead-man timer would wait for the end of the prompt, and every other request on the
    websocket with it (22.10.1).
    """


class Play(Command, frozen=True):
    """Play prompts to the caller, one after the other, in the call's bridge."""

    playback: int
    prompts: tuple[Heard, ...]


class PlayToLeg(Command, frozen=True):
    """Play prompts to who answered a leg, in a bridge of the leg's own, which is made if it is not there."""

    playback: int
    leg: int
    prompts: tuple[Prompt | SpeakName, ...]


class DestroyLegBridge(Command, frozen=True):
    """Remove a leg's own bridge."""

    leg: int


class StopPlayback(Command, frozen=True):
    """Stop what is being played: the caller knows enough."""

    playback: int


class Record(Command, frozen=True):
    """Record what the caller says, in the call's bridge, until so many seconds of `silence` or in all."""

    recording: int
    longest: float
    silence: int


class StopRecording(Command, frozen=True):
    """End a recording; what was said is kept."""

    recording: int


class DiscardRecording(Command, frozen=True):
    """Remove a recording that is over."""

    recording: int


class ReadNumber(Command, frozen=True):
    """Tell by NumberRead whether the caller can be called back at what is displayed, or was keyed in."""

    text: str


class FindPeople(Command, frozen=True):
    """Tell by PeopleFound who in the client's directory goes by what the caller keyed in."""

    keys: str


class ChoosePerson(Command, frozen=True):
    """Tell by PersonChosen what a call to somebody found in the directory meets now."""

    id: str


class JoinQueue(Command, frozen=True):
    """Let the caller wait in the queue at a position of the plan; told by QueueJoined or QueueEnded."""

    position: int
    step: Queue
    kept: bool = False
    """True of who has waited before: the place is theirs, however full the queue is by now."""


class LeaveQueue(Command, frozen=True):
    """The caller waits no longer, by a way on of the step or `abandoned`; or a talk with an agent is over."""

    outcome: str = ""
    agent: str = ""
    """Whose talk is over, if one's is."""


class OfferFailed(Command, frozen=True):
    """An agent who was rung did not take the call; `outcome` is one of a ring step (plan.RingOutcome)."""

    agent: str
    outcome: str


class OfferTaken(Command, frozen=True):
    """An agent has the call."""

    agent: str


class TellPosition(Command, frozen=True):
    """Tell by QueueTold how the caller stands in the queue."""


class EnterAsteriskQueue(Command, frozen=True):
    """Send the caller into a queue of Asterisk's own, from a position of the plan; told by LegLeft, and by
    AsteriskQueueReturned if the queue has not settled the call."""

    position: int
    step: AsteriskQueue


class AskIfFollowed(Command, frozen=True):
    """Tell by AsteriskQueueFollowed whether all was seen of Asterisk's queue from `since` until now."""

    since: datetime


class FindTransfer(Command, frozen=True):
    """Tell by TransferLed what a caller meets who is to be put through to `to` by who talked on a leg; or,
    where that is the caller's own, was led there out of a queue of Asterisk's own."""

    to: str
    leg: int


class RemoveChannel(Command, frozen=True):
    """End what Asterisk put in the place of a leg."""

    channel: str


class PutTag(Command, frozen=True):
    """Write down that the call has a tag."""

    tag: CallTag


class SetChannelVariables(Command, frozen=True):
    """Set variables of the dialplan on the caller's channel."""

    variables: tuple[tuple[str, str], ...]


class Bridge(Command, frozen=True):
    """Let the caller and a leg talk: make the call's bridge and put both channels into it."""

    leg: int


class DestroyBridge(Command, frozen=True):
    """Remove the call's bridge."""


class HangUpLeg(Command, frozen=True):
    """End a leg; 0 is the caller's."""

    leg: int
    reason: HangupReason


class SetDeadMan(Command, frozen=True):
    """Set the dead-man timers of the caller and of `legs` anew: unless that is repeated, Asterisk returns the
    caller to the dialplan, and ends the legs."""

    legs: tuple[int, ...] = ()


class LiftDeadMan(Command, frozen=True):
    """Take the dead-man timers off the caller and the leg that talk: a conversation outlives us."""

    leg: int


class ReturnToDialplan(Command, frozen=True):
    """Send the caller on in Asterisk's dialplan."""

    context: str
    extension: str


class SetTimer(Command, frozen=True):
    """Tell the machine in so many seconds, by TimerFired; replaces a timer of the same name."""

    timer: str
    seconds: float


class CancelTimer(Command, frozen=True):
    """Forget a timer."""

    timer: str


class CancelTimers(Command, frozen=True):
    """Forget all timers."""


class Finish(Command, frozen=True):
    """The call is over: write its record, forget it and its timers."""

    record: CallRecord


CallCommand = (
    IndicateRinging
    | StopRinging
    | StartMusic
    | StopMusic
    | AnswerCaller
    | CreateLeg
    | DialLeg
    | OpenBridge
    | Play
    | StopPlayback
    | PlayToLeg
    | DestroyLegBridge
    | Record
    | StopRecording
    | DiscardRecording
    | ReadNumber
    | FindPeople
    | ChoosePerson
    | JoinQueue
    | LeaveQueue
    | OfferFailed
    | OfferTaken
    | TellPosition
    | EnterAsteriskQueue
    | AskIfFollowed
    | FindTransfer
    | RemoveChannel
    | PutTag
    | SetChannelVariables
    | Bridge
    | DestroyBridge
    | HangUpLeg
    | SetDeadMan
    | LiftDeadMan
    | ReturnToDialplan
    | SetTimer
    | CancelTimer
    | CancelTimers
    | Finish
)
