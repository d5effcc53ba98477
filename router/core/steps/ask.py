"""`menu`, and the challenge: the caller is asked for a key (question.py)."""

from datetime import datetime

from msgspec.structs import replace

from router.core.call import Asking, Call, Turn
from router.core.events import CallEvent
from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase
from router.core.plan import FAILED, OTHERWISE, PASSED, Challenge, Menu
from router.core.steps import question
from router.core.steps.question import NO_ANSWER, Question, Reply


def enter(call: Call, now: datetime) -> Turn:
    """Ask for the first time."""
    return _turn(question.ask(call, _question(call)))


def advance(call: Call, state: Asking, event: CallEvent, now: datetime) -> Turn:
    """Take one event while the caller is to press a key."""
    return _turn(question.hear(call, state, _question(call), event, now))


def _turn(reply: Reply) -> Turn:
    call = replace(reply.call, state=reply.asking)
    if reply.answer is None:
        return Turn(call, reply.commands)
    if isinstance(call.step, Challenge):
        return Turn(call, reply.commands, FAILED if reply.answer == NO_ANSWER else PASSED)
    return Turn(call, reply.commands, OTHERWISE if reply.answer == NO_ANSWER else reply.answer)


def _question(call: Call) -> Question:
    step = call.step
    assert isinstance(step, Menu | Challenge)
    language = call.hears_in(step.language)
    no_such_key = phrase(language, step.tone, Phrase.NO_SUCH_KEY)
    if isinstance(step, Menu):
        return Question(() if step.prompt is None else (step.prompt,), step.keys, no_such_key)
    key = key_of(call)
    prompts = (step.prompt, phrase(language, step.tone, Phrase.PRESS_KEY, key=key))
    return Question(prompts, (key,), no_such_key)


def key_of(call: Call) -> str:
    """The key of a challenge: nobody knows it beforehand, and it is the same when the call is replayed."""
    return str(sum(call.info.id.encode()) % 10)
