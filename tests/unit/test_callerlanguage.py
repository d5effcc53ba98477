"""In which language callers hear what the product itself says."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from router.core import openings
from router.core.answers import answer
from router.core.call import Call, CallbackNumber, Leg
from router.core.callerlanguage import in_language, spoken_to
from router.core.commands import ChoosePerson, FindTransfer, Play
from router.core.dialling import Dialling
from router.core.events import CallEvent, KeyPressed, PersonChosen, QueueJoined, QueueTold, TransferLed
from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase
from router.core.plan import (
    Callback,
    Challenge,
    Directory,
    KeptPlace,
    Menu,
    Message,
    Queue,
    QueueRules,
    SayHours,
    Speak,
    Step,
    Whisper,
)
from router.core.returning import return_call
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.spoken import in_other_language, texts
from router.core.transferring import Ways
from tests.unit.story import ANNA, CALLER_UP, HELLO, INFO, RING_ANNA, plan, story

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
VI = "vi"
KEEPS = KeptPlace("1", Callback(language="nb"), Whisper("Ring {caller}", "nb", "NO"), 3600)


def said(which: Phrase, **values: str) -> Speak:
    return phrase(VI, "formal", which, **values)


def test_a_plan_has_what_is_the_products_own_in_the_callers_language() -> None:
    own, nobody = Speak("Vi har stengt.", "nb"), phrase("nb", "formal", Phrase.NOBODY)
    before = plan(own, RING_ANNA, nobody)
    after = spoken_to(before, VI)
    assert [node.step for node in after.nodes] == [own, RING_ANNA, said(Phrase.NOBODY)]
    assert ([node.then for node in after.nodes], after.language) == ([1, 2, None], VI)
    assert spoken_to(before, "") is before
    informal = phrase("nb", "informal", Phrase.NOBODY)
    assert in_language(informal, "en") == phrase("en", "informal", Phrase.NOBODY)


WRONG = (CALLER_UP, KeyPressed(0, "9"))
STEPS: list[tuple[str, Step, tuple[CallEvent, ...], Phrase]] = [
    ("a menu", Menu(HELLO, ("1",), "nb"), WRONG, Phrase.NO_SUCH_KEY),
    ("a challenge", Challenge(HELLO, "nb"), (CALLER_UP,), Phrase.PRESS_KEY),
    ("a message", Message(language="nb"), (CALLER_UP,), Phrase.LEAVE_MESSAGE),
    ("a callback", Callback(language="nb"), (CALLER_UP,), Phrase.OFFER_CALLBACK),
    ("a directory", Directory("nb"), (CALLER_UP,), Phrase.FIND_PERSON),
    (
        "a queue",
        Queue("desk", ("anna",), 60.0, rules=QueueRules(language="nb", position=True, keeps=KEEPS)),
        (CALLER_UP, QueueJoined(), QueueTold(1)),
        Phrase.QUEUE_NEXT,
    ),
]


@pytest.mark.parametrize(
    ("step", "events", "which"), [row[1:] for row in STEPS], ids=[row[0] for row in STEPS]
)
def test_what_a_step_says_is_in_the_callers_language(
    step: Step, events: tuple[CallEvent, ...], which: Phrase
) -> None:
    call = story(spoken_to(plan(step), VI), *events)
    played = [one for command in call.commanded if isinstance(command, Play) for one in command.prompts]
    key = {"key": str(sum(INFO.id.encode()) % 10)} if which is Phrase.PRESS_KEY else {}
    assert said(which, **key) in played
    assert not [one for one in played if isinstance(one, Speak) and one.language != VI]


RULES = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
language: nb
hours: {office: {week: {mon-fri: "08:00-16:00"}}}
screening: {block: [{name: b, numbers: "+45*"}], treatment: {challenge: Hvem er det?}}
people: {kari: {rings: PJSIP/kari, extension: 101, do: [{say: hours}, {ring: self}]}}
queues: {desk: {agents: kari, callback_key: 1, announce: {position: true}, whisper: "Fra {caller}"}}
routes:
  - name: main
    do: [{menu: {say: Tast 1., choices: {1: [directory]}}}, {queue: desk}, callback, {say: hours}, message]
"""


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    compiled = compile_rules({"f.yaml": RULES}, Dialling("PJSIP/{number}@trunk"))
    assert isinstance(compiled, RuleSet), compiled
    return compiled


def test_all_that_callers_may_hear_of_the_product_is_known_beforehand(rules: RuleSet) -> None:
    found = in_other_language(rules, VI, NOW, NOW + timedelta(days=1))
    assert {one.language for one in found} == {VI}
    wanted = [Phrase.NO_SUCH_KEY, Phrase.LEAVE_MESSAGE, Phrase.OFFER_CALLBACK, Phrase.FIND_PERSON]
    wanted += [Phrase.QUEUE_NEXT, Phrase.PLACE_KEPT, Phrase.NOBODY, Phrase.NUMBER_IS]
    assert {said(one) for one in wanted} <= found
    assert {said(Phrase.PRESS_KEY, key="7"), Speak("7", VI)} <= found
    assert openings.sentence(rules.clients["fjord"].hours["office"], NOW, VI, "formal") in found
    assert said(Phrase.NOT_REACHED) not in found, "agents are spoken to in the client's"
    assert phrase("nb", "formal", Phrase.NOT_REACHED) in texts(rules)


def test_hours_are_told_in_the_callers_language(rules: RuleSet) -> None:
    hours = rules.clients["fjord"].hours
    told = openings.told(spoken_to(plan(SayHours("office", "nb")), VI), hours, NOW)
    assert told.nodes[0].step == openings.sentence(hours["office"], NOW, VI, "formal")


def test_what_is_added_to_a_plan_is_in_the_callers_language(rules: RuleSet) -> None:
    call = Call(INFO, spoken_to(plan(RING_ANNA), VI), (Leg(0, NOW, ANNA), Leg(1, NOW, ANNA)))
    ways = Ways(rules, NOW, language=call.plan.language)
    chosen = answer(call, ChoosePerson("kari"), ways)
    assert isinstance(chosen, PersonChosen)
    hours = openings.sentence(rules.clients["fjord"].hours["office"], NOW, VI, "formal")
    assert chosen.plan.nodes[0].step == hours
    assert chosen.plan.nodes[-1].step == said(Phrase.NOBODY)
    led = answer(call, FindTransfer("+4722334455", 1), ways)
    assert isinstance(led, TransferLed)
    steps = [node.step for node in led.plan.nodes]
    assert hours in steps
    assert said(Phrase.NOBODY) in steps


def test_who_is_called_back_is_spoken_to_in_their_language(rules: RuleSet) -> None:
    step = Queue("desk", ("anna",), 60.0, rules=QueueRules(language="nb", keeps=KEEPS))
    call = story(spoken_to(plan(step), VI), CALLER_UP, QueueJoined(), KeyPressed(0, "1")).call
    number = replace(call, callback=CallbackNumber("+4790000001", "90000001"))
    made = return_call(number, rules, ("asterisk", "started"), NOW)
    assert not isinstance(made, str), made
    assert made[1].language == VI
    assert made[1].returns is not None
    assert made[1].returns.not_reached == phrase("nb", "formal", Phrase.NOT_REACHED)
