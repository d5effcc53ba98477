"""`directory`: the caller finds somebody, and goes on with that person's own treatment.

The caller keys in an extension, or the first letters of a name. Who goes by that is told by the edge
(FindPeople), since it is the rules in use that know. One is confirmed by name, and of several the caller
chooses; where nobody was found, or too many, they may search again, SEARCHES times in all. 0 goes on without
anybody.

The treatment of who is chosen is told by the edge, too (ChoosePerson): as it is at this moment, with those
left out who are outside their hours. Its steps are put after all others of the call's plan, and the call goes
on at the first of them. It has the client's last resort in it already, so nothing leads back to the steps
after the directory. It may have a directory in it itself; so that no call goes round and round, MOST_CHOSEN
is all.
"""

from datetime import datetime
from itertools import chain
from typing import assert_never

from msgspec.structs import replace

from router.core.call import Asking, Call, LedTo, Searching, SearchStage, Turn, with_evidence
from router.core.commands import ChoosePerson, FindPeople, Heard
from router.core.events import CallEvent, PeopleFound, PersonChosen, RouterReturned
from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase
from router.core.plan import OTHERWISE, Directory, Speak, extended
from router.core.record import Evidence
from router.core.steps import question
from router.core.steps.question import NO_ANSWER, Question, Reply

SEARCHES = 3
"""Rows of keys until the caller is not asked any more: one more than elsewhere, for who has to key in more
letters, and errs once."""

MOST_CHOSEN = 5
"""People that one caller may come to, each in the treatment of the one before."""

LEAVE = "0"
"""The row of keys of who wants to go on without."""
AGAIN_AFTER_ONE, AGAIN_AFTER_SEVERAL = "2", "0"
"""Keys of who is asked to choose, and has somebody else in mind."""

CHOSEN = "chosen"
"""What evidence calls it that somebody was chosen."""

PHRASES = (
    Phrase.FIND_PERSON,
    Phrase.NOBODY_FOUND,
    Phrase.MANY_FOUND,
    Phrase.NO_SUCH_KEY,
)
"""What is said, besides the names,"""
OF_KEYS = {
    Phrase.PRESS_FOR: "123456789",
    Phrase.SEARCH_AGAIN: (AGAIN_AFTER_ONE, AGAIN_AFTER_SEVERAL),
}
"""and what is said of each key."""


def enter(call: Call, now: datetime) -> Turn:
    """Ask whom the caller wants."""
    if sum(seen.what == CHOSEN for seen in call.evidence) >= MOST_CHOSEN:
        return Turn(call, outcome=OTHERWISE)
    return _search(call, 1)


def advance(call: Call, state: Searching, event: CallEvent, now: datetime) -> Turn:
    """Take one event while the caller looks for somebody."""
    match state.stage:
        case SearchStage.FINDING:
            return _finding(call, state, event)
        case SearchStage.LEADING:
            return _leading(call, state, event, now)
        case SearchStage.KEYING | SearchStage.CHOOSING:
            reply = question.hear(call, state.asking, _question(call, state), event, now)
            asked = _asked(reply, state)
            if reply.answer is None:
                return asked
            turn = _answered(asked.call, state, reply.answer)
            return Turn(turn.call, asked.commands + turn.commands, turn.outcome)
        case _:
            assert_never(state.stage)


def _search(call: Call, tries: int, *first: Heard) -> Turn:
    """Let the caller search, unless that was done often enough."""
    if tries > SEARCHES:
        return Turn(call, outcome=OTHERWISE)
    return _ask(call, Searching(SearchStage.KEYING, tries=tries), *first)


def _ask(call: Call, state: Searching, *first: Heard) -> Turn:
    return _asked(question.ask(call, _question(call, state), 1, *first), state)


def _asked(reply: Reply, state: Searching) -> Turn:
    return Turn(replace(reply.call, state=replace(state, asking=reply.asking)), reply.commands)


def _question(call: Call, state: Searching) -> Question:
    if state.stage is SearchStage.KEYING:
        return Question((_phrase(call, Phrase.FIND_PERSON),), None)
    by_key = {str(number): one for number, one in enumerate(state.found, start=1)}
    again = _again_of(state)
    people = ((_phrase(call, Phrase.PRESS_FOR, key=key), *one.said) for key, one in by_key.items())
    prompts = (*chain.from_iterable(people), _phrase(call, Phrase.SEARCH_AGAIN, key=again))
    return Question(prompts, (*by_key, again), _phrase(call, Phrase.NO_SUCH_KEY))


def _again_of(state: Searching) -> str:
    return AGAIN_AFTER_ONE if len(state.found) == 1 else AGAIN_AFTER_SEVERAL


def _answered(call: Call, state: Searching, answer: str) -> Turn:
    """A question is answered, or is not asked any more."""
    keying = state.stage is SearchStage.KEYING
    if answer == NO_ANSWER or (keying and answer == LEAVE):
        return Turn(call, outcome=OTHERWISE)
    if keying:
        finding = Searching(SearchStage.FINDING, Asking(0, row=answer), state.tries)
        return Turn(replace(call, state=finding), (FindPeople(answer),))
    if answer == _again_of(state):
        return _search(call, state.tries + 1)
    chosen = state.found[int(answer) - 1].id
    leading = Searching(SearchStage.LEADING, chosen=chosen)
    return Turn(replace(call, state=leading), (ChoosePerson(chosen),))


def _finding(call: Call, state: Searching, event: CallEvent) -> Turn:
    """Something was keyed in, and is being looked up."""
    keys = state.asking.row
    match event:
        case PeopleFound(found_by, people, more) if found_by == keys:
            if people:
                return _ask(call, replace(state, stage=SearchStage.CHOOSING, asking=Asking(0), found=people))
            why = Phrase.MANY_FOUND if more else Phrase.NOBODY_FOUND
            return _search(call, state.tries + 1, _phrase(call, why))
        case RouterReturned():
            return Turn(call, (FindPeople(keys),))
        case _:
            # Keys pressed too many; prompts, timers and legs of earlier steps.
            return Turn(call)


def _leading(call: Call, state: Searching, event: CallEvent, now: datetime) -> Turn:
    """Somebody was chosen, whose treatment is being looked up."""
    match event:
        case PersonChosen(chosen, plan) if chosen == state.chosen:
            if not plan.nodes:
                return Turn(call, outcome=OTHERWISE)
            first = LedTo(len(call.plan.nodes))
            call = with_evidence(call, Evidence(now, CHOSEN, detail=chosen))
            return Turn(replace(call, plan=extended(call.plan, plan)), outcome=first)
        case RouterReturned():
            return Turn(call, (ChoosePerson(state.chosen),))
        case _:
            # Keys pressed too many; prompts, timers and legs of earlier steps.
            return Turn(call)


def _phrase(call: Call, which: Phrase, **values: str) -> Speak:
    step = call.step
    assert isinstance(step, Directory)
    return phrase(call.hears_in(step.language), step.tone, which, **values)
