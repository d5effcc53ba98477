"""Messages, and wishes to be called back: told as stories."""

import pytest

from router.core.call import CALLER
from router.core.commands import (
    CancelTimer,
    DiscardRecording,
    Play,
    ReadNumber,
    Record,
    Recorded,
    SetTimer,
    StopPlayback,
    StopRecording,
)
from router.core.events import (
    CallEvent,
    CommandFailed,
    HangupRequested,
    KeyPressed,
    LegEnded,
    NumberRead,
    PlaybackEnded,
    RecordingEnded,
    RouterReturned,
    TimerFired,
)
from router.core.languages.catalogue import Phrase, Tone
from router.core.phrases import phrase, spelled
from router.core.plan import Callback, Delivery, HangUp, Message, Speak
from router.core.record import Disposition, LeftMessage, Phase
from router.core.steps import message, question
from tests.unit.story import RING_ANNA, Later, after, let_go, plan, story

DELIVERY = Delivery(("a@b.example",), "https://b.example/", 30)
FORMAL = Message(("anna",), None, "nb", "formal", 60.0, 2.0, DELIVERY)
INFORMAL = Message((), Speak("Hei.", "nb"), "nb", "informal")
WISH = Callback(("anna",), "nb", "formal", DELIVERY)
DISPLAY = NumberRead("+4790000001", "+4790000001", "90000001")
KEYED = NumberRead("90000002", "+4790000002", "90000002")
SPOKEN = (DISPLAY, PlaybackEnded(1), RecordingEnded(1, 5.0))
"""The display is read, the invitation heard, and something said."""
BYE = (HangupRequested(CALLER, 16), LegEnded(CALLER, 16, 200))
WAIT = TimerFired(question.TIMER)


def said(which: Phrase, tone: Tone = "formal") -> Speak:
    return phrase("nb", tone, which)


def pressed(keys: str) -> list[CallEvent | Later]:
    return [KeyPressed(CALLER, key) for key in keys]


def test_the_caller_speaks_after_the_tone_and_the_display_is_read() -> None:
    call = story(plan(INFORMAL))
    heard = (Speak("Hei.", "nb"), said(Phrase.LEAVE_MESSAGE, "informal"), message.TONE)
    assert Play(1, heard) in call.last
    assert ReadNumber("+4790000001") in call.last
    assert call.call.phase is Phase.MESSAGE
    assert call.then(PlaybackEnded(1)).last == (
        Record(1, 180.0, message.SILENCE),
        SetTimer(message.TIMER, 180.0 + message.LATE),
    )


def test_an_informal_client_takes_the_number_from_the_display() -> None:
    call = story(plan(INFORMAL), *SPOKEN)
    assert call.last[-1] == Play(2, (said(Phrase.SEND_MESSAGE, "informal"),))
    call.then(KeyPressed(CALLER, "1"))
    assert call.last == (StopPlayback(2), Play(3, (said(Phrase.MESSAGE_LEFT, "informal"),)))
    record = call.then(PlaybackEnded(3), let_go()).record
    assert (record.disposition, record.reason) == (Disposition.MESSAGE_LEFT, "")
    assert record.message == LeftMessage((), "nb", Delivery(), "+4790000001", 1, 5.0)


def test_a_formal_client_reads_it_back_digit_by_digit() -> None:
    call = story(plan(FORMAL), *SPOKEN, KeyPressed(CALLER, "1"))
    digits = spelled("nb", "90000001")
    assert call.last[-1] == Play(3, (said(Phrase.NUMBER_IS), *digits, said(Phrase.NUMBER_RIGHT)))
    call.then(KeyPressed(CALLER, "2"))
    assert call.last[-1] == Play(4, (said(Phrase.KEY_IN_NUMBER),))
    call.then(*pressed("90000002#"))
    assert call.last == (CancelTimer(question.TIMER), ReadNumber("90000002"))
    call.then(KEYED, KeyPressed(CALLER, "1"), PlaybackEnded(6), let_go())
    assert call.record.message == LeftMessage(("anna",), "nb", DELIVERY, "+4790000002", 1, 5.0)


def test_a_number_of_ones_own_is_refused_with_an_explanation() -> None:
    call = story(plan(FORMAL), NumberRead("", own=True), *SPOKEN[1:], KeyPressed(CALLER, "1"))
    assert call.last[-1] == Play(3, (said(Phrase.KEY_IN_NUMBER),)), "the display says nothing of use"
    call.then(*pressed("22334455#"), NumberRead("22334455", own=True))
    assert call.last == (Play(4, (said(Phrase.OWN_NUMBER), said(Phrase.KEY_IN_NUMBER))),)
    call.then(*pressed("1#"), NumberRead("1"))
    assert call.last == (Play(5, (said(Phrase.MESSAGE_LEFT),)),), "twice is enough; the message counts"
    record = call.then(PlaybackEnded(5), let_go()).record
    assert record.message
    assert record.message.callback == ""


def test_a_row_of_keys_can_be_begun_anew_and_ends_by_itself() -> None:
    call = story(plan(FORMAL), *SPOKEN[1:], KeyPressed(CALLER, "1"), *pressed("12*"))
    assert call.last[-1] == Play(4, (said(Phrase.KEY_IN_NUMBER),))
    call.then(*pressed("90000002"))
    assert call.last == (SetTimer(question.TIMER, question.WAIT_MORE),)
    assert call.then(WAIT).last == (ReadNumber("90000002"),)


def test_who_keys_in_nothing_has_left_the_message_all_the_same() -> None:
    call = story(plan(FORMAL), *SPOKEN[1:], KeyPressed(CALLER, "1"), *pressed("#"))
    assert call.last[-1] == Play(4, (said(Phrase.KEY_IN_NUMBER),))
    call.then(PlaybackEnded(4), WAIT)
    assert call.last == (Play(5, (said(Phrase.MESSAGE_LEFT),)),)


def test_silence_sends_the_message() -> None:
    call = story(plan(INFORMAL), *SPOKEN, PlaybackEnded(2), WAIT, PlaybackEnded(3), WAIT)
    assert call.last == (Play(4, (said(Phrase.MESSAGE_LEFT, "informal"),)),)


def test_it_can_be_heard_and_spoken_again() -> None:
    call = story(plan(INFORMAL), *SPOKEN, KeyPressed(CALLER, "2"))
    assert call.last[-1] == Play(3, (Recorded(1), said(Phrase.SEND_MESSAGE, "informal")))
    call.then(KeyPressed(CALLER, "3"))
    assert call.last == (StopPlayback(3), DiscardRecording(1), Play(4, (message.TONE,)))
    assert call.then(PlaybackEnded(4)).call.recording == 2
    record = call.then(RecordingEnded(2, 3.0), *BYE).record
    assert record.message
    assert (record.message.recording, record.message.seconds) == (2, 3.0)


def test_the_invitation_can_be_skipped() -> None:
    call = story(plan(INFORMAL), KeyPressed(CALLER, "#"))
    assert call.last == (StopPlayback(1), Play(2, (message.TONE,)))
    assert call.then(PlaybackEnded(1)).call.recordings == 0, "the end of what was stopped"
    assert call.then(PlaybackEnded(2)).call.recordings == 1


LEAVES: list[tuple[str, list[CallEvent | Later], list[object]]] = [
    ("in the invitation", [*pressed("0")], [StopPlayback(1)]),
    (
        "while it is recorded",
        [PlaybackEnded(1), *pressed("0"), RecordingEnded(1, 9.0)],
        [CancelTimer(message.TIMER), DiscardRecording(1)],
    ),
    (
        "once it is spoken",
        [*SPOKEN, *pressed("0")],
        [StopPlayback(2), DiscardRecording(1)],
    ),
]


@pytest.mark.parametrize(("events", "first"), [row[1:] for row in LEAVES], ids=[row[0] for row in LEAVES])
def test_0_goes_on_without_a_message(events: list[CallEvent | Later], first: list[object]) -> None:
    call = story(plan(FORMAL, RING_ANNA), *events)
    assert list(call.last)[: len(first)] == first
    assert call.rung == ["anna"]
    assert call.call.recorded is None


def test_too_little_is_no_message_and_is_asked_for_twice() -> None:
    call = story(plan(FORMAL, RING_ANNA), PlaybackEnded(1), RecordingEnded(1, 1.0))
    heard = (said(Phrase.NOT_HEARD), message.TONE)
    assert call.last == (CancelTimer(message.TIMER), DiscardRecording(1), Play(2, heard))
    call.then(PlaybackEnded(2), RecordingEnded(2, 0.0))
    assert call.rung == ["anna"]


def test_0_after_the_end_of_the_recording_takes_it_back() -> None:
    call = story(plan(FORMAL, RING_ANNA), PlaybackEnded(1), *pressed("#0"))
    assert call.last == ()
    assert call.then(RecordingEnded(1, 9.0)).rung == ["anna"]


def test_a_key_ends_the_recording() -> None:
    call = story(plan(FORMAL), PlaybackEnded(1), *pressed("5"))
    assert call.last == ()
    assert call.then(*pressed("#")).last == (StopRecording(1), SetTimer(message.TIMER, message.LATE))
    assert call.then(CommandFailed("StopRecording", CALLER, 404)).last == ()
    assert call.then(RouterReturned()).last[:1] == (StopRecording(1),)
    assert call.then(TimerFired(message.TIMER)).call.flags == ("recording_failed",), "and not for minutes"


def test_nothing_but_the_end_of_the_thanks_ends_the_call() -> None:
    call = story(plan(INFORMAL), *SPOKEN, KeyPressed(CALLER, "1"))
    assert call.then(KeyPressed(CALLER, "3"), PlaybackEnded(1)).last == ()
    assert call.then(PlaybackEnded(3)).hung_up


def test_who_hangs_up_after_speaking_has_left_it() -> None:
    call = story(plan(FORMAL), DISPLAY, PlaybackEnded(1), HangupRequested(CALLER, 16))
    assert StopRecording(1) in call.last
    assert not call.then(LegEnded(CALLER, 16, 200)).records, "how long they spoke is still to come"
    record = call.then(RecordingEnded(1, 5.0)).record
    assert record.disposition is Disposition.MESSAGE_LEFT
    assert record.message == LeftMessage(("anna",), "nb", DELIVERY, "+4790000001", 1, 5.0)


def test_who_does_not_want_to_leave_it_any_more_and_hangs_up_has_not() -> None:
    call = story(plan(FORMAL), PlaybackEnded(1), *pressed("0"), *BYE, RecordingEnded(1, 7.0))
    assert DiscardRecording(1) in call.last
    assert (call.record.disposition, call.record.message) == (Disposition.ABANDONED, None)


def test_keys_without_end_come_to_an_end() -> None:
    call = story(plan(FORMAL), *pressed("#" * 50))
    assert call.call.playbacks == 2
    call.then(PlaybackEnded(2), *pressed("#" * 50 + "5" * 50))
    assert [command for command in call.commanded if isinstance(command, StopRecording)] == [StopRecording(1)]
    call.then(RecordingEnded(1, 5.0), *pressed("23" * 50))
    assert call.call.playbacks <= message.MOST_HEARD + 2
    assert len(call.call.evidence) < 100
    keying = story(plan(FORMAL), *SPOKEN[1:], *pressed("1" + "5" * 50))
    assert keying.commanded[-1] == ReadNumber("5" * question.LONGEST_ROW)


def test_what_the_display_shows_counts_until_something_else_is_known() -> None:
    call = story(plan(FORMAL), *SPOKEN[1:], *pressed("190000002#"), DISPLAY, KEYED)
    assert call.call.callback
    assert call.call.callback.number == "+4790000002"
    assert call.then(DISPLAY).call.callback == call.then().call.callback


def test_a_recording_that_was_perhaps_begun_is_waited_for() -> None:
    call = story(plan(FORMAL, RING_ANNA), PlaybackEnded(1), CommandFailed("Record", CALLER, 0))
    assert call.last == ()
    assert call.then(RecordingEnded(1, 5.0)).call.recorded


def test_who_hangs_up_without_speaking_has_not() -> None:
    call = story(plan(FORMAL), PlaybackEnded(1), *BYE, RecordingEnded(1, 1.0))
    assert DiscardRecording(1) in call.last
    assert (call.record.disposition, call.record.phase) == (Disposition.ABANDONED, Phase.MESSAGE)


def test_a_recording_whose_end_never_comes_does_not_hold_the_call() -> None:
    call = story(plan(FORMAL), PlaybackEnded(1), *BYE)
    for _ in range(3):
        call.then(TimerFired("clean_up"))
    assert call.record.flags == ("unclean",)


FAILS: list[tuple[str, list[CallEvent | Later]]] = [
    ("Asterisk says so", [RecordingEnded(1, failed=True)]),
    ("Asterisk refuses", [CommandFailed("Record", CALLER, 500)]),
    ("there is no bridge", [CommandFailed("Record", CALLER, 404)]),
    ("it never ends", [TimerFired(message.TIMER), TimerFired(message.TIMER)]),
]


@pytest.mark.parametrize("events", [row[1] for row in FAILS], ids=[row[0] for row in FAILS])
def test_what_cannot_be_recorded_leaves_no_caller_waiting(events: list[CallEvent | Later]) -> None:
    call = story(plan(FORMAL, RING_ANNA), PlaybackEnded(1), *events)
    assert call.rung == ["anna"]
    assert call.call.flags == ("recording_failed",)


def test_a_recording_that_ends_too_late_is_stopped_first() -> None:
    call = story(plan(FORMAL), PlaybackEnded(1), after(65, TimerFired(message.TIMER)))
    assert call.last == (StopRecording(1), SetTimer(message.TIMER, message.LATE))
    assert call.then(RecordingEnded(1, 60.0)).call.recorded


def test_the_end_of_a_recording_is_told_of_twice() -> None:
    call = story(plan(INFORMAL), *SPOKEN, RecordingEnded(1, 0.0))
    assert call.call.recorded


def test_after_a_gap_the_caller_speaks_on() -> None:
    call = story(plan(FORMAL), PlaybackEnded(1), RouterReturned())
    assert call.last[0] == SetTimer(message.TIMER, 65.0)


def test_after_a_gap_a_number_is_read_again() -> None:
    call = story(plan(FORMAL), *SPOKEN[1:], *pressed("190000002#"))
    assert call.then(RouterReturned()).last[0] == ReadNumber("90000002")
    assert call.then(KeyPressed(CALLER, "7")).last == ()


def test_a_wish_to_be_called_back_needs_a_number() -> None:
    call = story(plan(WISH, RING_ANNA), NumberRead(""), *pressed("1"), PlaybackEnded(2), WAIT)
    assert call.last == (Play(3, (said(Phrase.KEY_IN_NUMBER),)),)
    assert call.then(PlaybackEnded(3), WAIT).rung == ["anna"]


def test_a_wish_to_be_called_back_is_settled_when_the_caller_is_thanked() -> None:
    call = story(plan(WISH), DISPLAY, *pressed("11"))
    assert call.last == (StopPlayback(2), Play(3, (said(Phrase.CALLBACK_TAKEN),)))
    record = call.then(*BYE).record
    assert record.disposition is Disposition.CALLBACK_REQUESTED
    assert record.message == LeftMessage(("anna",), "nb", DELIVERY, "+4790000001")


def test_who_wants_no_call_goes_on() -> None:
    call = story(plan(WISH, RING_ANNA), DISPLAY, *pressed("9"))
    assert call.last == (), "a key that is no answer is passed over"
    call.then(PlaybackEnded(1), WAIT, PlaybackEnded(2), WAIT)
    assert call.rung == ["anna"]


def test_who_was_asked_and_chose_nothing_is_not_refused() -> None:
    record = story(plan(FORMAL, HangUp()), *pressed("0"), let_go()).record
    assert record.disposition is Disposition.INFORMED
