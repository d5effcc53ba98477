"""CallRecord: what is written down of one call, final once written."""

from datetime import datetime
from enum import StrEnum

import msgspec

from router.core.plan import Delivery
from router.core.tags import CallTag


class Disposition(StrEnum):
    """The closed list: what became of a call, as its caller would tell it."""

    BLOCKED = "blocked"
    ANSWERED = "answered"
    DROPPED = "dropped"
    MESSAGE_LEFT = "message_left"
    CALLBACK_REQUESTED = "callback_requested"
    TRANSFERRED = "transferred"
    ABANDONED = "abandoned"
    INFORMED = "informed"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    UNOBSERVED = "unobserved"


class Phase(StrEnum):
    """Where in the call something happened, as the caller would put it."""

    GREETING = "greeting"
    """hears something before anybody is rung"""
    MENU = "menu"
    """is asked to choose, or to find somebody"""
    RINGING = "ringing"
    QUEUE = "queue"
    MESSAGE = "message"
    """leaves a message, or asks to be called back"""
    TALKING = "talking"
    CLOSING = "closing"
    """hears something after which nobody is rung any more"""


class Party(StrEnum):
    """Who ended a call."""

    CALLER = "caller"
    CALLEE = "callee"
    ROUTER = "router"
    NETWORK = "network"


class AttemptOutcome(StrEnum):
    """What became of one attempt to reach one phone."""

    ANSWERED = "answered"
    BUSY = "busy"
    DECLINED = "declined"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    INVALID_NUMBER = "invalid_number"
    CONGESTION = "congestion"
    MEDIA = "media"
    REDIRECTED = "redirected"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    CANCELLED = "cancelled"
    """the caller left first"""
    FAILED = "failed"
    UNOBSERVED = "unobserved"


class CallInfo(msgspec.Struct, frozen=True):
    """What is known of a call from its first moment on, for records and logs; the machine never decides by
    it."""

    id: str
    """Our call id, derived from the call key (`asterisk_id`, `asterisk_started`, `channel`)."""
    asterisk_id: str
    asterisk_started: str
    """Asterisk's startup time, as Asterisk writes it: a channel id is unique only within one run of Asterisk.
    """
    channel: str
    """Asterisk's id of the caller's channel."""
    dialled: str
    """E.164 where it could be read, else as dialled."""
    caller: str
    """E.164 where it could be read, else as sent; empty if anonymous."""
    client: str | None
    route: str | None
    rules_version: str
    arrived_at: datetime
    name: str = ""
    """By which the client knew the caller when they called; empty of a stranger."""
    display: str = ""
    """The name that came with the call; empty if none did."""


class Attempt(msgspec.Struct, frozen=True):
    """One attempt to reach one phone."""

    number: int
    """1, 2, ... in the order of dialling; also the leg's number. 0 is a caller who was called back."""
    target: str
    dial: str
    outcome: AttemptOutcome
    started_at: datetime
    ended_at: datetime
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    cause: int = 0
    """Q.850 hangup cause, 0 if none was seen."""
    tech_cause: int = 0
    """SIP status, 0 if none was seen."""
    reason: str = ""
    """The finer reason, such as `do_not_disturb` or `offline`; empty if the outcome says all."""


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """One observation the disposition was derived from."""

    at: datetime
    what: str
    """hangup_requested, left, ended, lost, command_failed, prompt_failed, router_hung_up ..."""
    leg: int = 0
    cause: int = 0
    tech_cause: int = 0
    soft: bool = False
    detail: str = ""


class TalkEnd(StrEnum):
    """How a talk with one person ended."""

    HUNG_UP = "hung_up"
    """by the caller or the person"""
    BLIND_TRANSFER = "blind_transfer"
    """the person gave the caller to somebody else, unseen"""
    ATTENDED_TRANSFER = "attended_transfer"
    """... after talking with them"""
    CUT_OFF = "cut_off"
    """by neither party"""


class Talk(msgspec.Struct, frozen=True):
    """The caller's talk with one person."""

    leg: int
    """The number of the attempt by which the person was reached."""
    who: str
    began_at: datetime
    ended_at: datetime
    end: TalkEnd
    hold_seconds: float = 0.0
    """Of it, how long one of the two had the other on hold."""

    @property
    def seconds(self) -> float:
        """Never negative, even where the clock was set back meanwhile."""
        return max((self.ended_at - self.began_at).total_seconds(), 0.0)


class LeftMessage(msgspec.Struct, frozen=True):
    """What a caller left: a message, or only the wish to be called back."""

    to: tuple[str, ...]
    """Ids of people; the client, where it is empty."""
    language: str
    """Of the client, for what people read of it."""
    delivery: Delivery
    callback: str = ""
    """The number at which to call back (E.164), if there is one."""
    recording: int | None = None
    """The number of the recording; None where there is only a wish."""
    seconds: float = 0.0
    """Of speech."""


class CallRecord(msgspec.Struct, frozen=True):
    """The whole story of one call. Times are aware; durations are seconds."""

    info: CallInfo
    disposition: Disposition
    phase: Phase
    """Where the caller was when the call ended."""
    hung_up_by: Party | None
    """None where nobody saw who."""
    ended_at: datetime
    reason: str = ""
    answered_by: str | None = None
    """The name of the target that talked with the caller first."""
    answered_at: datetime | None = None
    """When that talk began."""
    ring_seconds: float = 0.0
    """How long phones rang for this caller, in all."""
    wait_seconds: float = 0.0
    """From arrival to the talk, or to the end where there was none."""
    talk_seconds: float = 0.0
    """Of all talks, hold included."""
    hold_seconds: float = 0.0
    talks: tuple[Talk, ...] = ()
    """With each person in turn."""
    attempts: tuple[Attempt, ...] = ()
    message: LeftMessage | None = None
    evidence: tuple[Evidence, ...] = ()
    flags: tuple[str, ...] = ()
    """`glare`: both ended at once. `unclean`: a channel's end was never confirmed. `prompt_failed`.
    `recording_failed`. `transferred`: the caller was given, or was to be given, to somebody else."""
    classifier: int = 1
    """Version of the rules in disposition.py that chose the disposition."""
    queues: tuple[str, ...] = ()
    """Those of the client's that the caller came to, in order."""
    answers: str = ""
    """The id of the call in which the caller asked to be called back, if it is that which was done."""
    tags: tuple[CallTag, ...] = ()
    """Those that the rules have put on it."""
