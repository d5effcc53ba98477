"""Whatever happens in whatever order: a supervisor who is gone leaves nothing, and all is written down."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from router.core.agents import AgentId
from router.core.supervising import begin, step
from router.core.supervision import (
    Began,
    Close,
    Commands,
    Ended,
    EndSnoop,
    Event,
    HangUp,
    Join,
    KeyPressed,
    Mode,
    Over,
    Play,
    PlaybackEnded,
    Snoop,
    SnoopEnded,
    SnoopReady,
    StartMusic,
    StopMusic,
    Supervision,
    SupervisorLeft,
    Talk,
    TalksLooked,
)

NOW = datetime(2026, 11, 27, 10, tzinfo=UTC)
TALKS = [
    Talk(NOW + timedelta(seconds=at), f"call-{at}", AgentId("fjord", f"agent-{at % 2}"), "", f"c{at}", "mia")
    for at in range(4)
]
AGO = st.sampled_from([0, 0, 0, 1])
EVENTS = st.one_of(
    st.tuples(st.sampled_from([PlaybackEnded, PlaybackEnded, SnoopReady, SnoopReady, SnoopEnded]), AGO),
    st.sampled_from("0445566***#").map(KeyPressed),
    st.just(TalksLooked()),
)
"""What has a number is the latest of its kind, or one before it."""
STEPS = st.lists(
    st.tuples(EVENTS, st.sets(st.sampled_from(TALKS), min_size=1).map(sorted)), min_size=10, max_size=60
)


class Room:
    """What Asterisk and the audit have, by what they are told."""

    def __init__(self) -> None:
        self.snoops: set[int] = set()
        self.joined: set[int] = set()
        self.music = False
        self.lasting: dict[int, Mode] = {}
        self.said: Mode | None = None
        self.closed = 0

    def obey(self, supervision: Supervision, commands: Commands) -> None:
        for command in commands:
            match command:
                case Play():
                    assert not self.joined, "what is said to a supervisor goes into no talk"
                    assert not self.music
                    self.said = supervision.mode
                case Snoop(snoop, _, mode):
                    assert not self.snoops, "one talk at a time"
                    assert self.said is mode, "and no mode that was not said"
                    self.snoops.add(snoop)
                case Join(snoop):
                    assert snoop in self.snoops
                    self.joined.add(snoop)
                case EndSnoop(snoop):
                    self.snoops.discard(snoop)
                    self.joined.discard(snoop)
                case StartMusic():
                    assert not self.joined
                    self.music = True
                case StopMusic():
                    self.music = False
                case Began(stretch):
                    assert not self.lasting
                    self.lasting[stretch.number] = stretch.mode
                case Ended(stretch):
                    self.lasting.pop(stretch.number, None)
                    assert stretch.outcome is not None
                    assert stretch.ended is not None
                case Close():
                    self.closed += 1
                case HangUp():
                    assert self.closed
                case _:
                    pass


@given(st.sampled_from(Mode), st.sampled_from([frozenset(), frozenset({TALKS[0].agent})]), STEPS)
def test_nothing_is_left_and_nobody_is_heard_unawares(
    mode: Mode, only: frozenset[AgentId], steps: list[tuple[Any, list[Talk]]]
) -> None:
    room = Room()
    supervision, commands = begin(Supervision("s", "PJSIP/1", mode, only), TALKS[:1])
    room.obey(supervision, commands)
    at = NOW
    for happened, talks in (*steps, (SupervisorLeft(), [])):
        event: Event = happened
        if not isinstance(happened, KeyPressed | TalksLooked | SupervisorLeft):
            kind, ago = happened
            latest = supervision.playbacks if kind is PlaybackEnded else supervision.snoops
            event = kind(latest - ago)
        if isinstance(event, SnoopEnded):
            room.snoops.discard(event.snoop)
            room.joined.discard(event.snoop)
        at += timedelta(seconds=1)
        supervision, commands = step(supervision, event, talks, at)
        room.obey(supervision, commands)
    assert isinstance(supervision.state, Over)
    assert (room.snoops, room.lasting, room.closed) == (set(), {}, 1)
