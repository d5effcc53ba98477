"""Directories: callers who look for somebody, told as stories."""

import msgspec
import pytest

from router.core.call import CALLER, Searching
from router.core.commands import (
    CancelTimer,
    ChoosePerson,
    CreateLeg,
    FindPeople,
    Play,
    SetDeadMan,
    SetTimer,
    StopPlayback,
)
from router.core.events import (
    CallEvent,
    CommandFailed,
    Found,
    KeyPressed,
    LegAnswered,
    LegReady,
    PeopleFound,
    PersonChosen,
    PlaybackEnded,
    RouterReturned,
    TimerFired,
)
from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase
from router.core.plan import CallPlan, Directory, HangUp, PlanNode, Ring, Say, Speak
from router.core.record import Disposition, Evidence, Phase
from router.core.steps import question
from router.core.steps.directory import CHOSEN, MOST_CHOSEN, SEARCHES
from tests.unit.story import (
    BO,
    CALLER_CANCELS,
    GOODBYE,
    RING_ANNA,
    RING_BOTH,
    Later,
    Story,
    gone,
    let_go,
    plan,
    story,
)

DIRECTORY = Directory("nb", "informal")
KARI = Found("kari", (Speak("Kari", "nb"),))
OLA = Found("ola", (Say("sound:ola"),))
RING_BO = Ring(((BO,),), 20.0)
TREATMENT = plan(RING_BO, GOODBYE)
WAIT = TimerFired(question.TIMER)


def said(which: Phrase, **values: str) -> Speak:
    return phrase("nb", "informal", which, **values)


ASKED = said(Phrase.FIND_PERSON)
ONE_FOUND = (said(Phrase.PRESS_FOR, key="1"), *KARI.said, said(Phrase.SEARCH_AGAIN, key="2"))
TWO_FOUND = (
    *(said(Phrase.PRESS_FOR, key="1"), *KARI.said, said(Phrase.PRESS_FOR, key="2"), *OLA.said),
    said(Phrase.SEARCH_AGAIN, key="0"),
)


def pressed(keys: str) -> list[CallEvent | Later]:
    return [KeyPressed(CALLER, key) for key in keys]


def found(keys: str, *people: Found, more: bool = False) -> list[CallEvent | Later]:
    """Those keys, hash, and what they find."""
    return [*pressed(f"{keys}#"), PeopleFound(keys, people, more)]


def test_a_caller_is_asked_whom_they_want() -> None:
    call = story(plan(DIRECTORY, RING_ANNA))
    assert Play(1, (ASKED,)) in call.last
    assert call.call.phase is Phase.MENU
    assert call.then(TimerFired("dead_man")).last[0] == SetDeadMan(()), "who waits is looked after"
    record = call.then(CALLER_CANCELS, gone()).record
    assert (record.disposition, record.phase) == (Disposition.ABANDONED, Phase.MENU)


def test_what_is_keyed_in_is_looked_up() -> None:
    call = story(plan(DIRECTORY), *pressed("52"))
    assert call.last == (SetTimer(question.TIMER, question.WAIT_MORE),)
    assert call.then(*pressed("#")).last == (CancelTimer(question.TIMER), FindPeople("52"))
    assert story(plan(DIRECTORY), *pressed("52"), WAIT).last == (FindPeople("52"),)


def test_one_who_is_found_is_confirmed_by_name() -> None:
    call = story(plan(DIRECTORY), *found("52", KARI))
    assert call.last == (Play(2, ONE_FOUND),)
    assert call.then(*pressed("1")).last == (StopPlayback(2), ChoosePerson("kari"))


def test_of_several_the_caller_chooses() -> None:
    call = story(plan(DIRECTORY), *found("52", KARI, OLA))
    assert call.last == (Play(2, TWO_FOUND),)
    assert call.then(*pressed("2")).last == (StopPlayback(2), ChoosePerson("ola"))


def test_the_call_goes_on_with_the_treatment_after_its_own_steps() -> None:
    call = story(plan(DIRECTORY, GOODBYE), *found("52", KARI), *pressed("1"), PersonChosen("kari", TREATMENT))
    assert CreateLeg(1, BO) in call.last
    assert (call.call.met, call.call.position, call.call.phase) == ((0, 2), 2, Phase.RINGING)
    assert [node.then for node in call.call.plan.nodes] == [1, None, 3, None]
    assert call.call.evidence[-1] == Evidence(call.now, CHOSEN, detail="kari")
    record = call.then(
        LegReady(1), LegAnswered(1), LegAnswered(CALLER), CALLER_CANCELS, gone(), gone(1)
    ).record
    assert record.disposition is Disposition.ANSWERED
    assert record.answered_by == "bo"


def test_where_the_treatment_runs_out_the_call_ends() -> None:
    goodbye = plan(GOODBYE)
    call = story(plan(DIRECTORY, RING_ANNA), *found("52", KARI), *pressed("1"), PersonChosen("kari", goodbye))
    assert call.call.phase is Phase.CLOSING
    record = call.then(PlaybackEnded(3), let_go()).record
    assert (call.rung, record.disposition) == ([], Disposition.INFORMED)


def test_branches_of_the_treatment_move_with_it() -> None:
    branching = plan(RING_BOTH, GOODBYE, on={"busy": 1})  # type: ignore[dict-item]  # as it is written down
    call = story(
        plan(DIRECTORY, HangUp()), *found("52", KARI), *pressed("1"), PersonChosen("kari", branching)
    )
    assert call.call.plan.nodes[2].on == {"busy": 3}


def test_who_has_gone_meanwhile_is_nobody() -> None:
    nobody = PersonChosen("kari", CallPlan(()))
    call = story(plan(DIRECTORY, RING_ANNA), *found("52", KARI), *pressed("1"), nobody)
    assert call.rung == ["anna"]
    assert CHOSEN not in [seen.what for seen in call.call.evidence]


SEARCHED: list[tuple[str, list[CallEvent | Later], Phrase]] = [
    ("nobody", found("52"), Phrase.NOBODY_FOUND),
    ("too many", found("52", more=True), Phrase.MANY_FOUND),
]


@pytest.mark.parametrize(("events", "why"), [row[1:] for row in SEARCHED], ids=[row[0] for row in SEARCHED])
def test_who_finds_nobody_or_too_many_may_search_again(events: list[CallEvent | Later], why: Phrase) -> None:
    call = story(plan(DIRECTORY, RING_ANNA), *events)
    assert call.last == (Play(2, (said(why), ASKED)),)
    for _ in range(SEARCHES - 1):
        assert call.rung == []
        call.then(events)
    assert call.rung == ["anna"]


@pytest.mark.parametrize(("people", "again"), [((KARI,), "2"), ((KARI, OLA), "0")], ids=["one", "several"])
def test_somebody_else_can_be_looked_for(people: tuple[Found, ...], again: str) -> None:
    call = story(plan(DIRECTORY, RING_ANNA), *found("52", *people), *pressed(again))
    assert call.last == (StopPlayback(2), Play(3, (ASKED,)))
    for _ in range(SEARCHES - 1):
        call.then(found("52", *people), pressed(again))
    assert call.rung == ["anna"]


LEAVES: list[tuple[str, list[CallEvent | Later]]] = [
    ("0", pressed("0#")),
    ("0 and silence", [*pressed("0"), WAIT]),
    ("silence", [PlaybackEnded(1), WAIT, PlaybackEnded(2), WAIT]),
    ("hash", pressed("##")),
    ("silence when asked to choose", [*found("52", KARI), PlaybackEnded(2), WAIT, PlaybackEnded(3), WAIT]),
    ("wrong keys when asked to choose", [*found("52", KARI), *pressed("99")]),
]


@pytest.mark.parametrize("events", [row[1] for row in LEAVES], ids=[row[0] for row in LEAVES])
def test_who_chooses_nobody_goes_on(events: list[CallEvent | Later]) -> None:
    assert story(plan(DIRECTORY, RING_ANNA), *events).rung == ["anna"]


def test_a_row_may_begin_with_0_and_is_begun_anew_by_the_star() -> None:
    assert FindPeople("05") in story(plan(DIRECTORY), *pressed("12*05#")).last


def test_who_found_nobody_was_not_refused() -> None:
    record = story(plan(DIRECTORY), *pressed("0#"), let_go()).record
    assert (record.disposition, record.reason) == (Disposition.INFORMED, "")


def test_a_wrong_key_has_the_choice_told_again() -> None:
    call = story(plan(DIRECTORY), *found("52", KARI), *pressed("7"))
    assert call.last == (StopPlayback(2), Play(3, (said(Phrase.NO_SUCH_KEY), *ONE_FOUND)))


def test_only_the_answer_to_what_was_asked_counts() -> None:
    call = story(plan(DIRECTORY), *pressed("52#"))
    for other in (PeopleFound("5", (KARI,)), PlaybackEnded(1), *pressed("3"), WAIT):
        assert call.then(other).last == ()
    call.then(PeopleFound("52", (KARI,)), PeopleFound("52", (KARI,)), *pressed("1"))
    for other in (PersonChosen("ola", TREATMENT), PeopleFound("52", (KARI,)), *pressed("1"), WAIT):
        assert call.then(other).last == ()
    assert call.then(PersonChosen("kari", TREATMENT)).rung == ["bo"]
    assert call.then(PersonChosen("kari", TREATMENT)).last == ()


def test_after_a_gap_it_is_asked_again() -> None:
    call = story(plan(DIRECTORY), *pressed("52#"), RouterReturned())
    assert FindPeople("52") in call.last
    call.then(PeopleFound("52", (KARI,)), *pressed("1"), RouterReturned())
    assert ChoosePerson("kari") in call.last


def test_what_cannot_be_played_leaves_no_caller_waiting() -> None:
    call = story(plan(DIRECTORY), CommandFailed("Play", CALLER, 500))
    assert call.last == (SetTimer(question.TIMER, question.WAIT),)
    assert isinstance(call.call.state, Searching)


def test_a_treatment_may_lead_to_the_directory_again_but_not_for_ever() -> None:
    chooses = [*found("52", KARI), *pressed("1"), PersonChosen("kari", plan(DIRECTORY, RING_BO))]
    call = Story(plan(DIRECTORY, RING_ANNA))
    for _ in range(MOST_CHOSEN):
        assert call.rung == []
        call.then(chooses)
    assert call.rung == ["bo"]
    assert call.call.met == (0, 2, 4, 6, 8, 10, 11)


def test_what_was_found_and_chosen_is_journalled_whole() -> None:
    for event in (PeopleFound("52", (KARI, OLA), True), PersonChosen("kari", TREATMENT)):
        assert msgspec.json.decode(msgspec.json.encode(event), type=CallEvent) == event
    assert TREATMENT.nodes[0] == PlanNode(RING_BO, 1)
