"""Supervision: what one supervisor's call is made of; its states, what happens to it, and what is to be done.

The machine is in supervising.py. All here is frozen.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

from router.core.agents import AgentId
from router.core.languages.catalogue import Tone
from router.core.plan import Speak


class Mode(StrEnum):
    """How a supervisor takes part in a talk."""

    LISTEN = "listen"
    WHISPER = "whisper"
    """is heard by the agent alone"""
    BARGE = "barge"
    """is heard by both"""


class Outcome(StrEnum):
    """How a stretch of supervision came to its end."""

    TALK_OVER = "talk_over"
    LEFT = "left"
    """the supervisor hung up, or pressed #"""
    CHANGED = "changed"
    """the supervisor chose another mode"""
    NEXT = "next"
    """the supervisor went on to another talk"""
    REFUSED = "refused"
    """it never began: the rules do not permit it"""
    FAILED = "failed"
    """it never began: Asterisk could not do it"""
    UNOBSERVED = "unobserved"
    """the router did not see the end"""


class Refusal(StrEnum):
    """Why somebody may not supervise."""

    NOT_PERMITTED = "not_permitted"
    NO_SUCH_AGENT = "no_such_agent"


class Talk(NamedTuple):
    """A talk of an agent that may be heard."""

    since: datetime
    call_id: str
    agent: AgentId
    number: str
    """The agent's short number; empty of one who has none."""
    channel: str
    """Asterisk's id of the agent's channel."""
    supervisor: str
    """As whom the talk may be heard: one of the client's people."""


class Stretch(msgspec.Struct, frozen=True):
    """One talk, supervised in one mode: what is kept of it."""

    supervision: str
    """The id of the whole supervision."""
    number: int
    """1, 2, ... within it."""
    client: str
    supervisor: str
    """One of the client's people; empty where the phone is nobody's who may supervise."""
    endpoint: str
    """The phone."""
    agent: str
    """A person's id; where it was refused, what was keyed in."""
    call_id: str
    mode: Mode
    began: datetime
    ended: datetime | None = None
    outcome: Outcome | None = None
    """None while it lasts."""
    reason: str = ""
    """Of a refusal."""


class Hearing(msgspec.Struct, frozen=True):
    """Hears a sentence, and then the talk, if there is one; or is hung up on, if it was the `last`."""

    playback: int
    talk: Talk | None = None
    last: bool = False


class Opening(msgspec.Struct, frozen=True):
    """The snoop is being made."""

    talk: Talk
    snoop: int


class Joined(msgspec.Struct, frozen=True):
    """Hears the talk, and is heard as the mode says."""

    talk: Talk
    snoop: int
    stretch: Stretch


class Waiting(msgspec.Struct, frozen=True):
    """Hears music until there is a talk."""

    since: datetime


class Over(msgspec.Struct, frozen=True):
    """Has left, or was hung up on."""


State = Hearing | Opening | Joined | Waiting | Over


class Supervision(msgspec.Struct, frozen=True):
    """One supervisor's call, from the feature code to the end."""

    id: str
    """Derived from the phone's channel, as a call's id is."""
    endpoint: str
    mode: Mode
    only: frozenset[AgentId] = frozenset()
    """Whose talks are wanted; empty: anybody's."""
    language: str = "en"
    tone: Tone = "formal"
    state: State = Over()
    latest: Talk | None = None
    """Which talk was heard last."""
    failed: frozenset[str] = frozenset()
    """Agents' channels that could not be heard, or not any more: those talks are not tried again."""
    playbacks: int = 0
    snoops: int = 0
    stretches: int = 0


class KeyPressed(NamedTuple):
    """The supervisor pressed a key."""

    key: str


class PlaybackEnded(NamedTuple):
    """A sentence is over, or could not be played."""

    playback: int


class SnoopReady(NamedTuple):
    """A snoop has entered our application."""

    snoop: int


class SnoopEnded(NamedTuple):
    """A snoop is gone, or could not be made."""

    snoop: int


class TalksLooked(NamedTuple):
    """The talks that there are may be others than before; comes also from time to time."""


class SupervisorLeft(NamedTuple):
    """The supervisor's phone is gone, or is not ours any more."""


Event = KeyPressed | PlaybackEnded | SnoopReady | SnoopEnded | TalksLooked | SupervisorLeft


class Open(NamedTuple):
    """Answer the supervisor, and put them into a bridge of their own."""


class Play(NamedTuple):
    """Play sentences to the supervisor."""

    playback: int
    prompts: tuple[Speak, ...]


class StopPlayback(NamedTuple):
    """Stop a sentence."""

    playback: int


class StartMusic(NamedTuple):
    """Let the supervisor hear music on hold."""


class StopMusic(NamedTuple):
    """End it."""


class Snoop(NamedTuple):
    """Make a snoop on a channel."""

    snoop: int
    channel: str
    mode: Mode


class Join(NamedTuple):
    """Put a snoop into the supervisor's bridge."""

    snoop: int


class EndSnoop(NamedTuple):
    """Remove a snoop."""

    snoop: int


class Began(NamedTuple):
    """Write down that a talk is being supervised, here and in the talk's own record."""

    stretch: Stretch


class Ended(NamedTuple):
    """Write down that a stretch is over, or was refused."""

    stretch: Stretch


class HangUp(NamedTuple):
    """End the supervisor's channel."""


class Close(NamedTuple):
    """Remove the supervisor's bridge."""


Command = (
    Open
    | Play
    | StopPlayback
    | StartMusic
    | StopMusic
    | Snoop
    | Join
    | EndSnoop
    | Began
    | Ended
    | HangUp
    | Close
)
Commands = tuple[Command, ...]
Talks = Sequence[Talk]
"""Those that the supervisor may hear now, in the order in which they began."""
