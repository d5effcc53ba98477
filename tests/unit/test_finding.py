"""Whom a caller finds, how that person is called, and what is met then."""

from datetime import UTC, datetime

import pytest

from router.core.dialling import Dialling
from router.core.events import Found, PeopleFound
from router.core.finding import choose_person, find_people
from router.core.phrases import spelled
from router.core.plan import Callback, Message, Prompt, Ring, Say, Speak, Step
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.spoken import texts

OPEN, CLOSED = datetime(2026, 11, 23, 10, 0, tzinfo=UTC), datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
RULES = """
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
language: nb
greeting: Velkommen.
hours: {office: {week: {mon-fri: "08:00-16:00"}}}
people_from: people.csv
people:
  kari:
    name: Kari Nordmann
    extension: 101
    numbers: "+4722334461"
    rings: PJSIP/1
    hours: office
    do: [{ring: [self, ola], order: in-turn}, {say: hours}, message]
  ola: {name: Ola Hansen, spoken: Ola Hannsn, rings: PJSIP/2}
  line: {name: Line Hansen, spoken: {file: custom/line}, do: [{ring: [PJSIP/2, PJSIP/3], order: rotate}]}
  desk: {extension: 110, rings: PJSIP/4, do: [goto closed]}
  japan: {name: 山田, extension: 111}
  star: {name: "*", extension: 112}
  nobody: {rings: PJSIP/5}
  none: {name: 山田}
last_resort: [callback]
routes: [{name: main, do: [directory]}, {name: closed, do: [{say: Stengt.}]}]
""".replace("[goto closed]", "[{goto: closed}]")
TABLE = "id,name,spoken,extension\nbent,Bent Krogh,Bennt Krågh,\n"


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    found = compile_rules({"f.yaml": RULES}, Dialling(), {"people.csv": TABLE})
    assert isinstance(found, RuleSet), found
    return found


def spoken(text: str) -> tuple[Prompt, ...]:
    return (Speak(text, "nb"),)


SAID: list[tuple[str, str, str, tuple[Prompt, ...]]] = [
    ("by name", "5274", "kari", spoken("Kari Nordmann")),
    ("as it is pronounced", "652", "ola", spoken("Ola Hannsn")),
    ("in a table", "2368", "bent", spoken("Bennt Krågh")),
    ("from a file", "5463", "line", (Say("sound:custom/line"),)),
    ("by extension alone", "110", "desk", spelled("nb", "110")),
    ("of letters that no phone has", "111", "japan", spoken("山田")),
    ("by extension, of a name that nobody can say", "112", "star", spelled("nb", "112")),
]


@pytest.mark.parametrize(("keys", "who", "said"), [row[1:] for row in SAID], ids=[row[0] for row in SAID])
def test_how_a_person_is_called(rules: RuleSet, keys: str, who: str, said: tuple[Prompt, ...]) -> None:
    assert find_people(keys, "fjord", rules) == PeopleFound(keys, (Found(who, said),))


def test_several_come_in_the_order_of_their_names(rules: RuleSet) -> None:
    assert [one.id for one in find_people("426", "fjord", rules).people] == ["line", "ola"]


def test_who_has_neither_name_nor_extension_is_not_found(rules: RuleSet) -> None:
    people = rules.clients["fjord"].people
    assert [name for name, person in people.items() if not person.said] == ["nobody", "none"]
    assert people["nobody"].treatment is None


@pytest.mark.parametrize("client", [None, "gone"])
def test_a_client_that_is_gone_has_nobody(rules: RuleSet, client: str | None) -> None:
    assert find_people("426", client, rules) == PeopleFound("426")
    assert choose_person("kari", client, rules, OPEN, 0).plan.nodes == ()


def met(rules: RuleSet, person: str, now: datetime, turn: int = 0) -> list[Step]:
    return [node.step for node in choose_person(person, "fjord", rules, now, turn).plan.nodes]


def rung(step: Step) -> list[list[str]]:
    assert isinstance(step, Ring)
    return [[target.dial for target in targets] for targets in step.rounds]


def test_the_treatment_is_the_person_s_own_without_the_greeting(rules: RuleSet) -> None:
    ring, hours, message, callback = met(rules, "kari", OPEN)
    assert rung(ring) == [["PJSIP/1"], ["PJSIP/2"]]
    assert hours == Speak("Vi har åpent til klokken 16.", "nb")
    assert (type(message), type(callback)) == (Message, Callback)
    plan = choose_person("kari", "fjord", rules, OPEN, 0).plan
    assert [node.then for node in plan.nodes] == [1, 2, 3, None]


def test_who_is_outside_their_hours_is_not_rung(rules: RuleSet) -> None:
    ring, hours, *_ = met(rules, "kari", CLOSED)
    assert rung(ring) == [["PJSIP/2"]]
    assert hours == Speak("Vi har stengt nå. Vi åpner igjen i morgen klokken 8.", "nb")


def test_rounds_rotate_from_call_to_call(rules: RuleSet) -> None:
    assert [rung(met(rules, "line", OPEN, turn)[0])[0] for turn in (0, 1)] == [["PJSIP/2"], ["PJSIP/3"]]


def test_a_treatment_may_be_a_route_s(rules: RuleSet) -> None:
    assert met(rules, "desk", OPEN) == [Speak("Stengt.", "nb")]


@pytest.mark.parametrize("who", ["nobody", "gone"])
def test_who_cannot_be_chosen_any_more_has_none(rules: RuleSet, who: str) -> None:
    assert met(rules, who, OPEN) == []


def test_all_names_and_all_that_is_said_are_spoken_beforehand(rules: RuleSet) -> None:
    known = {text.text for text in texts(rules)}
    names = {"Kari Nordmann", "Ola Hannsn", "Bennt Krågh", "1", "0"}
    phrases = {"Beklager, vi fant ingen.", "Tast 9 for", "Tast 0 for å søke på nytt."}
    assert names | phrases <= known
    assert not {"Line Hansen", "Vi fant ingen."} & known, "she has a file, and the client is formal"


def test_without_a_directory_nobody_is_laid_out_for_it() -> None:
    text = RULES.replace("do: [directory]", "do: [{ring: kari}]")
    rules = compile_rules({"f.yaml": text}, Dialling(), {"people.csv": TABLE})
    assert isinstance(rules, RuleSet)
    people = rules.clients["fjord"].people
    assert [name for name, one in people.items() if one.treatment is not None] == ["kari"]
    assert rules.clients["fjord"].directory.rows == ()
