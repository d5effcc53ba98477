"""The state of one call: its legs, where it is in its plan, and what was observed of it. Frozen data.

The call machine (machine.py) and its steps (steps/) make each new state from the one before by the small,
named changes at the end of this file. Nothing here decides.
"""

from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from router.core.commands import CallCommand, HangupReason
from router.core.events import Found
from router.core.plan import Callback, CallPlan, Queue, Step, Target
from router.core.record import CallInfo, Disposition, Evidence, Party, Phase, Talk
from router.core.tags import CallTag

CALLER = 0
"""The number of the caller's own leg."""


PROMPT_FAILED = "prompt_failed"
"""Flag of a call in which Asterisk could not play something."""

RECORDING_FAILED = "recording_failed"
"""Flag of a call in which Asterisk could not record what the caller said."""

THE_CALLER = Target(name="caller", dial="")
"""The target of the caller's own leg, which nobody dials."""

NOBODY_KNOWS = Target(name="unknown", dial="")
"""The target of a leg of which only the number is known, since a router that died saw the rest of it."""


class LegState(StrEnum):
    """How far a leg has come. The order is the order of life; a leg never goes back."""

    ABSENT = "absent"
    """there is no channel yet (the leg of a caller who is to be called back only)"""
    CREATED = "created"
    DIALLED = "dialled"
    RINGING = "ringing"
    UP = "up"
    LEFT = "left"
    """went back to the dialplan: still a channel, no longer ours (the caller's leg only)"""
    ENDED = "ended"


class Leg(msgspec.Struct, frozen=True):
    """A channel's part in our call."""

    number: int
    started_at: datetime
    target: Target
    """Whom it rings; THE_CALLER for the caller's own."""
    state: LegState = LegState.CREATED
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    intent: HangupReason | None = None
    """Why we asked it to end, if we did: our own intent outranks any cause that comes back."""
    cause: int = 0
    tech_cause: int = 0
    refusal: int | None = None
    """The HTTP status with which Asterisk refused to create or dial it; 0 = it did not reply."""
    lost: bool = False
    """Its end was not seen."""
    channel: str = ""
    """Asterisk's id of its channel, where that is none that we made."""
    asked: bool = False
    """It was answered, and in a bridge of its own heard something before the caller was to be put through."""

    @property
    def gone(self) -> bool:
        """There is no channel, any more or yet."""
        return self.state in (LegState.ENDED, LegState.ABSENT)


class Saying(msgspec.Struct, frozen=True, tag=True):
    """The caller hears a prompt."""

    playback: int


class Asking(msgspec.Struct, frozen=True, tag=True):
    """The caller is to press a key."""

    tries: int
    """How often the question was asked, this time included."""
    playback: int | None = None
    """The question being heard; None once it is over."""
    row: str = ""
    """The keys so far, where they are to be several."""


class Stage(StrEnum):
    """How far a caller has come who leaves a message, or a number at which to be called back."""

    INVITED = "invited"
    """hears that a message can be left after the tone"""
    RECORDING = "recording"
    REVIEWING = "reviewing"
    """has spoken, and may hear it or speak again"""
    OFFERED = "offered"
    """is asked whether to be called back"""
    KEYING = "keying"
    """keys in a number"""
    READING = "reading"
    """has keyed it in"""
    CONFIRMING = "confirming"
    """hears it read back"""
    CLOSING = "closing"
    """is thanked"""


class Messaging(msgspec.Struct, frozen=True, tag=True):
    """The caller leaves a message, or a number at which to be called back (steps/message.py)."""

    stage: Stage
    asking: Asking = Asking(0)
    """How what is being heard, or asked, stands."""
    tries: int = 0
    """How often the caller was let speak, or asked for a number, this time included."""
    skipped: bool = False
    """True once the invitation was cut short."""
    stopped: bool = False
    """True once the recording was told to end."""


class SearchStage(StrEnum):
    """How far a caller has come who looks for somebody in a directory."""

    KEYING = "keying"
    """keys in an extension, or letters of a name"""
    FINDING = "finding"
    """has keyed them in"""
    CHOOSING = "choosing"
    """hears who was found"""
    LEADING = "leading"
    """has chosen one of them"""


class Searching(msgspec.Struct, frozen=True, tag=True):
    """The caller looks for somebody in a directory (steps/directory.py)."""

    stage: SearchStage
    asking: Asking = Asking(0)
    """How what is being asked stands."""
    tries: int = 0
    """How often the caller was let search, this time included."""
    found: tuple[Found, ...] = ()
    """Whom to choose from."""
    chosen: str = ""
    """The id of who is chosen."""


class Asked(msgspec.Struct, frozen=True):
    """Who answered a phone hears something, and may have to press a key."""

    leg: int
    tries: int
    playback: int | None = None
    """What is being heard; None once it is over."""


class Ringing(msgspec.Struct, frozen=True, tag=True):
    """Phones ring for the caller."""

    round: int
    since: datetime
    legs: tuple[int, ...]
    """The legs of this round."""
    tried: tuple[int, ...] = ()
    """The legs of the rounds before."""
    told: bool = False
    """True once the caller hears ringing."""
    asked: tuple[Asked, ...] = ()
    """Those who have answered in this round, and have neither the call nor hung up."""


class Offer(msgspec.Struct, frozen=True):
    """An agent is rung for a caller who waits."""

    agent: str
    legs: tuple[int, ...]
    """All phones of the agent."""
    since: datetime


class Queueing(msgspec.Struct, frozen=True, tag=True):
    """The caller waits for an agent (steps/queue.py)."""

    since: datetime
    kept: bool = False
    """The caller has waited before, and kept the place."""
    joined: bool = False
    """True once the caller is in the queue, and hears music."""
    offers: tuple[Offer, ...] = ()
    asked: tuple[Asked, ...] = ()
    """Those who have answered, and have neither the call nor hung up."""
    playback: int | None = None
    """The announcement being heard."""
    late: bool = False
    """True once the caller has waited long enough, and only who is asked may still take the call."""


class CallingBack(msgspec.Struct, frozen=True, tag=True):
    """An agent is there, and the caller's own phone rings (steps/callback.py)."""

    leg: int
    """The agent's."""
    since: datetime
    playback: int
    """What the agent hears: ringing;"""
    told: bool = False
    """or, where this is true, that nobody answers."""


class AsteriskStage(StrEnum):
    """How far a caller has come in a queue of Asterisk's own, as far as is known."""

    SENT = "sent"
    """is to go there, or is there, and nobody has told of it"""
    WAITING = "waiting"
    GONE = "gone"
    """waits no longer: was put through, pressed a key, or hung up"""
    ABANDONED = "abandoned"
    """... without being put through"""
    TALKING = "talking"
    """has an agent"""
    DONE = "done"
    """has talked with one"""


class InAsteriskQueue(msgspec.Struct, frozen=True, tag=True):
    """The caller is in a queue of Asterisk's own (steps/asteriskqueue.py)."""

    waiting_at: datetime
    """When the caller was last known not to have been put through."""
    stage: AsteriskStage = AsteriskStage.SENT
    away: bool = False
    """True once the caller has left our application for the queue."""
    over: bool = False
    """True once the caller's channel is gone, and what happened before may still be told."""
    ended_by: str = ""
    """Who ended the talk with an agent, in AMI's words."""


class Talking(msgspec.Struct, frozen=True, tag=True):
    """A phone was answered and got the call."""

    leg: int


class Transferring(msgspec.Struct, frozen=True, tag=True):
    """Who talked with the caller wants somebody else to have the call (steps/transfer.py)."""

    to: str
    """What was dialled for it."""
    leg: int
    """Who wants it; the caller's own where it is nobody on a leg, but somebody in a queue of Asterisk's own.
    """


class Ending(msgspec.Struct, frozen=True, tag=True):
    """Everything has been told to end; we wait until it has."""

    reason: HangupReason | None = None
    """Why *we* ended the call; None where one of the parties or the network did."""
    dialplan: str | None = None
    """Set where the call was handed to the dialplan by its plan: the reason, which may be empty."""
    checks: int = 0
    """How often the ends were overdue."""


class Over(msgspec.Struct, frozen=True, tag=True):
    """The record is written; nothing more happens."""


CallState = (
    Saying
    | Asking
    | Messaging
    | Searching
    | Ringing
    | Queueing
    | InAsteriskQueue
    | CallingBack
    | Talking
    | Transferring
    | Ending
    | Over
)


class CallbackNumber(msgspec.Struct, frozen=True):
    """Where a caller can be called back."""

    number: str
    """E.164."""
    said: str
    """Its digits as people in the client's country say them, with `+` where it is abroad."""


class SpokenMessage(msgspec.Struct, frozen=True):
    """What a caller has said, recorded."""

    recording: int
    seconds: float
    """Of speech."""


class AgentRung(msgspec.Struct, frozen=True):
    """An agent whom a queue of Asterisk's own has rung: no leg of ours."""

    agent: str
    dial: str
    since: datetime
    rang: bool = True
    """False where the phone never did."""
    answered_at: datetime | None = None
    missed_at: datetime | None = None
    """When it was given up without an answer."""


class Call(msgspec.Struct, frozen=True):
    """One call: the caller's whole visit."""

    info: CallInfo
    plan: CallPlan
    legs: tuple[Leg, ...]
    state: CallState = Saying(0)
    """A call begins in the plan's first step; this default stands only until that is entered."""
    phase: Phase = Phase.GREETING
    """Where the caller is or, once the call ends, was."""
    position: int | None = 0
    """The plan's node that the caller is at; None past the last."""
    met: tuple[int, ...] = ()
    """The plan's nodes that the caller has come to, in order."""
    playbacks: int = 0
    """How many prompts have been started."""
    bridged: bool = False
    """True once the call's bridge was opened for a prompt or music."""
    recordings: int = 0
    """How many recordings have been begun."""
    recording: int | None = None
    """The one that is being made."""
    unwanted: bool = False
    """True of a recording that the caller does not want to leave."""
    recorded: SpokenMessage | None = None
    """The message that the caller has spoken, and not taken back."""
    callback: CallbackNumber | None = None
    """Where to call back, as far as that is known."""
    answering: bool = False
    """True once we told Asterisk to answer the caller."""
    partner: int | None = None
    """The leg that got the call."""
    agent: str = ""
    """Who has it, if a queue gave it to an agent."""
    queued_since: datetime | None = None
    """When the caller came to wait who is just asked where to call back, and keeps the place."""
    talk_began: datetime | None = None
    """When both sides were connected; None while no talk is under way and none has ended the call."""
    talk_ended: datetime | None = None
    """When they were parted, where the caller stayed after that."""
    rung: tuple[AgentRung, ...] = ()
    """Those rung by queues of Asterisk's own, in order."""
    talks: tuple[Talk, ...] = ()
    """Those before that one, each ended by a transfer."""
    holding: tuple[int, ...] = ()
    """The legs in the talk that have the other on hold,"""
    held_since: datetime | None = None
    """since when,"""
    held_seconds: float = 0.0
    """and for how long one had before."""
    settled: "Settled | None" = None
    """How a step settled the call."""
    verdict: "Verdict | None" = None
    """What became of the call in a queue of Asterisk's own."""
    refused_by: str = ""
    """The screening rule whose challenge the caller did not meet."""
    tags: tuple[CallTag, ...] = ()
    """Those that the rules have put on it."""
    evidence: tuple[Evidence, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def step(self) -> Step:
        """The plan's step that the caller is at."""
        assert self.position is not None
        return self.plan.nodes[self.position].step

    def hears_in(self, language: str) -> str:
        """The language of what the product itself says to the caller, at a step in `language`."""
        return self.plan.language or language

    @property
    def playing(self) -> tuple[int, ...]:
        """The playbacks whose ends the call waits for."""
        match self.state:
            case Saying(playback):
                return (playback,)
            case Asking(_, playback) | Messaging(_, Asking(_, playback)) | Searching(_, Asking(_, playback)):
                return () if playback is None else (playback,)
            case Ringing(asked=asked):
                return tuple(one.playback for one in asked if one.playback is not None)
            case CallingBack(playback=playback):
                return (playback,)
            case Queueing(asked=asked, playback=playback):
                heard = (*(one.playback for one in asked), playback)
                return tuple(one for one in heard if one is not None)
            case _:
                return ()

    @property
    def caller(self) -> Leg:
        return self.legs[CALLER]

    @property
    def wish(self) -> Callback | None:
        """What is taken down at the step that the caller is at, of a wish to be called back."""
        step = self.step
        if isinstance(step, Queue):
            return step.rules.keeps.wish if step.rules.keeps else None
        return step if isinstance(step, Callback) else None

    @property
    def outlives_us(self) -> bool:
        """Nobody in it waits for this process: two people talk, the caller is in a queue of Asterisk's own,
        or somebody is to be called back one day."""
        match self.state:
            case Talking() | InAsteriskQueue():
                return True
            case Queueing(offers=()):
                return self.caller.state is LegState.ABSENT
            case _:
                return False

    @property
    def has_bridge(self) -> bool:
        """True once a prompt, music or a talk needed a bridge."""
        return self.bridged or self.partner is not None


Commands = tuple[CallCommand, ...]


class Settled(msgspec.Struct, frozen=True):
    """A step settled the call, and no phone of ours has it."""

    disposition: Disposition
    by: str = ""
    """Who answered, if somebody did."""


class Verdict(msgspec.Struct, frozen=True):
    """What became of a call that ended where we saw only what AMI told."""

    disposition: Disposition
    reason: str = ""
    hung_up_by: Party | None = None


class CallerGone(msgspec.Struct, frozen=True):
    """A step is over, since the caller is; all is known of that which can be."""


class Connected(msgspec.Struct, frozen=True):
    """A step settled the call: this leg answered."""

    leg: int


class Done(msgspec.Struct, frozen=True):
    """A step is over and did not settle the call."""


class LedTo(msgspec.Struct, frozen=True):
    """A step is over, and the call goes on at this position of its plan."""

    position: int


StepOutcome = str | Done | LedTo | Connected | Settled | CallerGone
"""A text is the way on (plan.ways_on)."""


class Turn(msgspec.Struct, frozen=True):
    """What a step makes of one event: the new state, what to do, and, when the step is over, its outcome."""

    call: Call
    commands: Commands = ()
    outcome: StepOutcome | None = None


def with_leg(call: Call, leg: Leg) -> Call:
    """The call with one of its legs renewed."""
    legs = call.legs
    return replace(call, legs=(*legs[: leg.number], leg, *legs[leg.number + 1 :]))


def with_evidence(call: Call, evidence: Evidence) -> Call:
    """The call with one more observation."""
    return replace(call, evidence=(*call.evidence, evidence))


def with_flag(call: Call, flag: str) -> Call:
    """The call with a flag raised."""
    return call if flag in call.flags else replace(call, flags=(*call.flags, flag))
