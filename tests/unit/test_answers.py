"""What a call asks the rules in the middle of it."""

import pytest

from router.core.answers import Answer, Asked, answer
from router.core.commands import ChoosePerson, FindPeople, FindTransfer, ReadNumber
from router.core.dialling import Dialling
from router.core.events import NumberRead, PeopleFound, PersonChosen, TransferLed
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.transferring import Ways
from tests.unit.story import ARRIVAL, RING_ANNA, plan, story, talk

RULES = """\
client: fjord
name: Fjord
numbers: "+4721000000"
timezone: Europe/Oslo
country: NO
people: {kari: {name: Kari, extension: 101, rings: PJSIP/kari}}
routes: [{name: main, do: [directory]}]
"""

ASKED: list[tuple[str, Asked, type[Answer]]] = [
    ("a number", ReadNumber("90000001"), NumberRead),
    ("people", FindPeople("5274"), PeopleFound),
    ("a person", ChoosePerson("kari"), PersonChosen),
    ("who is transferred to", FindTransfer("101", 1), TransferLed),
]


@pytest.mark.parametrize(("asked", "told"), [row[1:] for row in ASKED], ids=[row[0] for row in ASKED])
def test_each_question_has_its_answer(asked: Asked, told: type[Answer]) -> None:
    rules = compile_rules({"fjord.yaml": RULES}, Dialling())
    assert isinstance(rules, RuleSet)
    call = story(plan(RING_ANNA), talk()).call
    assert isinstance(answer(call, asked, Ways(rules, ARRIVAL)), told)
