"""One supervisor's call, told event by event: what is heard, what is kept, and what becomes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from router.core.agents import AgentId
from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase, spelled
from router.core.plan import Speak
from router.core.supervising import PATIENCE, begin, refuse, step, texts
from router.core.supervision import (
    Began,
    Close,
    Command,
    Ended,
    EndSnoop,
    Event,
    HangUp,
    Hearing,
    Join,
    KeyPressed,
    Mode,
    Open,
    Outcome,
    Over,
    Play,
    PlaybackEnded,
    Refusal,
    Snoop,
    SnoopEnded,
    SnoopReady,
    StartMusic,
    StopMusic,
    StopPlayback,
    Stretch,
    Supervision,
    SupervisorLeft,
    Talk,
    TalksLooked,
    Waiting,
)

NOW = datetime(2026, 11, 27, 10, tzinfo=UTC)
KARI, OLA = AgentId("fjord", "kari"), AgentId("fjord", "ola")
FIRST = Talk(NOW, "call-1", KARI, "100", "c1-l1", "mia")
SECOND = Talk(NOW + timedelta(seconds=1), "call-2", OLA, "7", "c2-l1", "mia")
MIA = Supervision("s", "PJSIP/103", Mode.LISTEN, language="nb")
HEARD = (PlaybackEnded(1), SnoopReady(1))
"""From the code to the talk."""


def said(which: Phrase, number: str = "") -> tuple[Speak, ...]:
    return (phrase("nb", "formal", which), *spelled("nb", number))


@dataclass
class Story:
    """What has happened, and what was done about the latest of it."""

    supervision: Supervision
    talks: Sequence[Talk]
    doing: list[Command] = field(default_factory=list)
    done: list[Command] = field(default_factory=list)

    def then(self, *events: Event, after: timedelta = timedelta()) -> "Story":
        for event in events:
            self.supervision, commands = step(self.supervision, event, self.talks, NOW + after)
            self.doing = list(commands)
            self.done += commands
        return self

    @property
    def ends(self) -> list[tuple[str, Mode, Outcome | None]]:
        """Of all stretches that are over."""
        ended = (command.stretch for command in self.done if isinstance(command, Ended))
        return [(stretch.call_id, stretch.mode, stretch.outcome) for stretch in ended]


def story(*events: Event, talks: Sequence[Talk] = (FIRST,), **more: object) -> Story:
    supervision, commands = begin(replace(MIA, **more), talks)
    return Story(supervision, talks, list(commands), list(commands)).then(*events)


MODES = [
    ("listen", Mode.LISTEN, Phrase.YOU_LISTEN),
    ("whisper", Mode.WHISPER, Phrase.YOU_WHISPER),
    ("barge", Mode.BARGE, Phrase.YOU_BARGE),
]


@pytest.mark.parametrize(("mode", "which"), [row[1:] for row in MODES], ids=[row[0] for row in MODES])
def test_who_supervises_knows_how_before_it_begins(mode: Mode, which: Phrase) -> None:
    call = story(mode=mode)
    assert call.doing == [Open(), Play(1, said(which, "100"))]
    assert call.then(PlaybackEnded(1)).doing == [Snoop(1, "c1-l1", mode)]
    kept = Stretch("s", 1, "fjord", "mia", "PJSIP/103", "kari", "call-1", mode, NOW)
    assert call.then(SnoopReady(1)).doing == [Join(1), Began(kept)]


def test_another_mode_is_another_snoop_and_is_said_first() -> None:
    call = story(*HEARD).then(KeyPressed("5"))
    assert [type(command) for command in call.doing] == [EndSnoop, Ended, Play]
    assert call.then(PlaybackEnded(2)).doing == [Snoop(2, "c1-l1", Mode.WHISPER)]
    assert call.then(SnoopReady(2), KeyPressed("#")).ends == [
        ("call-1", Mode.LISTEN, Outcome.CHANGED),
        ("call-1", Mode.WHISPER, Outcome.LEFT),
    ]
    assert call.doing[-2:] == [Close(), HangUp()]


NOTHING_HAPPENS = [
    ("the same mode again", HEARD, KeyPressed("4")),
    ("a key that means nothing", HEARD, KeyPressed("1")),
    ("no other talk", HEARD, KeyPressed("*")),
    ("an old sentence", HEARD, PlaybackEnded(1)),
    ("an old snoop ends", (*HEARD, KeyPressed("6")), SnoopEnded(1)),
    ("a talk that goes on", HEARD, TalksLooked()),
    ("late news of one that is over", (*HEARD, SupervisorLeft()), SnoopEnded(1)),
]


@pytest.mark.parametrize(
    ("before", "event"), [row[1:] for row in NOTHING_HAPPENS], ids=[row[0] for row in NOTHING_HAPPENS]
)
def test_nothing_happens(before: Sequence[Event], event: Event) -> None:
    call = story(*before)
    state = call.supervision
    assert call.then(event).doing == []
    assert call.supervision == state


def test_a_snoop_that_was_given_up_while_it_was_made_is_removed() -> None:
    call = story(PlaybackEnded(1), KeyPressed("6"))
    assert call.doing[0] == EndSnoop(1)
    assert call.then(SnoopReady(1)).doing == [EndSnoop(1)]
    assert call.ends == []


def test_a_sentence_is_cut_short_by_a_key() -> None:
    assert story(KeyPressed("6")).doing == [StopPlayback(1), Play(2, said(Phrase.YOU_BARGE, "100"))]


def test_the_next_talk_in_turn_and_round_again_as_a_listener() -> None:
    call = story(*HEARD, talks=(FIRST, SECOND), mode=Mode.BARGE, only=frozenset({KARI}))
    call.then(KeyPressed("*"))
    assert call.doing[-1] == Play(2, said(Phrase.YOU_LISTEN, "7")), "of whoever it is"
    call.then(PlaybackEnded(2), SnoopReady(2), KeyPressed("*"))
    assert call.doing[-1] == Play(3, said(Phrase.YOU_LISTEN, "100"))
    assert call.ends == [
        ("call-1", Mode.BARGE, Outcome.NEXT),
        ("call-2", Mode.LISTEN, Outcome.NEXT),
    ]


ENDS = [
    ("Asterisk says so first", SnoopEnded(1), (FIRST,)),
    ("the call says so first", TalksLooked(), ()),
]


@pytest.mark.parametrize(("event", "talks"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_after_a_talk_there_is_music_until_the_next(event: Event, talks: Sequence[Talk]) -> None:
    call = story(*HEARD, mode=Mode.BARGE)
    call.talks = talks
    call.then(event)
    assert call.doing[-1] == Play(2, said(Phrase.TALK_OVER))
    assert call.ends == [("call-1", Mode.BARGE, Outcome.TALK_OVER)]
    assert call.then(PlaybackEnded(2)).doing == [StartMusic()], "a talk that failed is not tried again"
    assert call.then(KeyPressed("5")).doing == []
    call.talks = (SECOND,)
    call.then(TalksLooked())
    assert call.doing == [StopMusic(), Play(3, said(Phrase.YOU_LISTEN, "7"))]


def test_a_talk_that_has_begun_meanwhile_is_heard_at_once() -> None:
    call = story(*HEARD, mode=Mode.BARGE)
    call.talks = ()
    call.then(TalksLooked())
    call.talks = (SECOND,)
    assert call.then(PlaybackEnded(2)).doing == [Play(3, said(Phrase.YOU_LISTEN, "7"))]


def test_a_caller_who_was_given_to_another_agent_is_heard_there() -> None:
    call = story(*HEARD)
    elsewhere = FIRST._replace(agent=OLA, number="7", channel="c1-l2", since=NOW + timedelta(seconds=9))
    call.talks = (elsewhere,)
    call.then(TalksLooked())
    assert call.doing[-1] == Play(2, said(Phrase.TALK_OVER))
    assert call.then(PlaybackEnded(2)).doing == [Play(3, said(Phrase.YOU_LISTEN, "7"))]


def test_only_the_agent_who_was_asked_for() -> None:
    call = story(talks=(SECOND,), only=frozenset({KARI}), mode=Mode.WHISPER)
    assert call.doing == [Open(), Play(1, said(Phrase.NO_TALK))]
    assert call.then(PlaybackEnded(1)).doing == [StartMusic()]
    assert call.then(TalksLooked()).doing == []
    call.talks = (SECOND, FIRST)
    assert call.then(TalksLooked()).doing == [StopMusic(), Play(2, said(Phrase.YOU_WHISPER, "100"))]


def test_a_talk_that_ends_while_the_mode_is_said_is_not_begun() -> None:
    call = story()
    call.talks = ()
    assert call.then(PlaybackEnded(1)).doing == [StartMusic()]


def test_what_asterisk_cannot_do_is_kept_as_failed() -> None:
    call = story(PlaybackEnded(1), SnoopEnded(1))
    assert call.ends == [("call-1", Mode.LISTEN, Outcome.FAILED)]
    assert isinstance(call.supervision.state, Hearing)
    assert call.then(PlaybackEnded(2)).doing == [StartMusic()]


def test_nobody_waits_for_ever() -> None:
    call = story(PlaybackEnded(1), talks=())
    assert isinstance(call.supervision.state, Waiting)
    assert call.then(TalksLooked(), after=PATIENCE - timedelta(seconds=1)).doing == []
    assert call.then(TalksLooked(), after=PATIENCE).doing == [StopMusic(), Close(), HangUp()]


LEAVING: list[tuple[str, Sequence[Event], list[Command]]] = [
    ("in a sentence", (), [StopPlayback(1), Close()]),
    ("while the snoop is made", (PlaybackEnded(1),), [EndSnoop(1), Close()]),
]


@pytest.mark.parametrize(("before", "done"), [row[1:] for row in LEAVING], ids=[row[0] for row in LEAVING])
def test_who_leaves_leaves_nothing(before: Sequence[Event], done: list[Command]) -> None:
    call = story(*before, SupervisorLeft())
    assert call.doing == done
    assert isinstance(call.supervision.state, Over)


REFUSED = [
    ("not permitted", Refusal.NOT_PERMITTED, Phrase.NOT_SUPERVISOR),
    ("nobody of that number", Refusal.NO_SUCH_AGENT, Phrase.NO_SUCH_AGENT),
]


@pytest.mark.parametrize(("why", "which"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_who_may_not_hears_so_and_it_is_kept(why: Refusal, which: Phrase) -> None:
    tried = Stretch("s", 1, "", "", "PJSIP/9", "100", "", Mode.BARGE, NOW)
    supervision, commands = refuse(MIA, why, tried)
    kept = Ended(replace(tried, ended=NOW, outcome=Outcome.REFUSED, reason=why.value))
    assert commands == (Open(), kept, Play(1, said(which)))
    call = Story(supervision, (FIRST,))
    assert call.then(KeyPressed("5"), KeyPressed("*"), TalksLooked()).done == []
    assert call.then(PlaybackEnded(1)).doing == [StopPlayback(1), Close(), HangUp()]


def test_all_of_it_is_spoken_beforehand() -> None:
    spoken = texts("nb", "formal", supervised=True)
    for which in (Phrase.YOU_BARGE, Phrase.NO_TALK, Phrase.TALK_OVER, Phrase.NOT_SUPERVISOR):
        assert phrase("nb", "formal", which) in spoken
    assert set(spelled("nb", "0123456789")) <= set(spoken)
    assert texts("nb", "formal", supervised=False) == [
        phrase("nb", "formal", Phrase.NOT_SUPERVISOR),
        phrase("nb", "formal", Phrase.NO_SUCH_AGENT),
    ]
