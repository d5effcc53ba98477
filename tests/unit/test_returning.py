"""At which numbers somebody can call back."""

import pytest

from router.core.dialling import Dialling
from router.core.events import NumberRead
from router.core.returning import read_number
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet

RULES = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
people: {kari: {numbers: "+4722334461", rings: PJSIP/kari}}
routes: [{name: main, do: message}]
"""

READ: list[tuple[str, str, str | None, NumberRead]] = [
    ("the display", "+4790000009", "fjord", NumberRead("+4790000009", "+4790000009", "90000009")),
    ("keyed in", "90000009", "fjord", NumberRead("90000009", "+4790000009", "90000009")),
    ("abroad", "0046701234567", "fjord", NumberRead("0046701234567", "+46701234567", "+46701234567")),
    ("the client's own", "22334455", "fjord", NumberRead("22334455", own=True)),
    ("one of its people's", "+4722334461", "fjord", NumberRead("+4722334461", own=True)),
    ("one that costs extra", "82012345", "fjord", NumberRead("82012345")),
    ("nothing", "", "fjord", NumberRead("")),
    ("no number", "12", "fjord", NumberRead("12")),
    ("of nobody's client", "+4790000009", None, NumberRead("+4790000009", "+4790000009", "+4790000009")),
    ("of a client that is gone", "90000009", "sund", NumberRead("90000009")),
]


@pytest.mark.parametrize(("text", "client", "read"), [row[1:] for row in READ], ids=[row[0] for row in READ])
def test_where_somebody_can_call_back(text: str, client: str | None, read: NumberRead) -> None:
    rules = compile_rules({"fjord.yaml": RULES}, Dialling())
    assert isinstance(rules, RuleSet)
    assert read_number(text, client, rules) == read


LONDON = """\
client: london
name: London
numbers: "+442071838750"
timezone: Europe/London
country: GB
routes: [{name: main, do: message}]
"""


def test_trunk_prefixes_are_said_as_people_do() -> None:
    rules = compile_rules({"london.yaml": LONDON}, Dialling())
    assert isinstance(rules, RuleSet)
    assert read_number("+442079460000", "london", rules).said == "02079460000"
