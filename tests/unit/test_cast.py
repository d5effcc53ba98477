"""What everybody does in a call that nobody places, time after time, and what cannot be given."""

from collections.abc import Sequence

import pytest

from router.core.cast import Cast, Roles
from router.core.dialling import Dialling
from router.core.plan import Directory, Message, Queue, Target
from router.core.remarks import words_of
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet

KARI = tuple(Target("kari", f"PJSIP/{number}") for number in (1, 2))
BO = Target("bo", "PJSIP/+4790000001@trunk", True, "+4790000001")

RULES = """
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
people: {kari: {rings: PJSIP/1}, ola: {name: Ola, rings: PJSIP/2}}
queues: {reception: {agents: [kari, ola]}}
routes: [{name: main, do: [{queue: reception}, directory]}]
"""


def test_a_round_is_one_time_for_each_who_is_rung_in_it() -> None:
    cast = Cast({"kari": ("busy", "declined", "failed"), "PJSIP/2": ("no_answer", "answered")}, None)
    assert cast.ring([*KARI, BO]) == ["busy", "no_answer", "answered"]
    assert cast.ring(KARI[:1]) == ["declined"]
    assert cast.ring(KARI) == ["failed", "answered"]
    assert cast.ring(KARI) == ["failed", "answered"], "the last stays"
    assert cast.ring([]) == []


def test_a_number_may_be_given_as_it_is_written_in_the_country() -> None:
    assert Cast({"900 00 001": ("busy",)}, "NO").ring([BO]) == ["busy"]
    assert Cast({"900 00 001": ("busy",)}, None).ring([BO]) == ["answered"]


def test_what_the_caller_does_time_after_time() -> None:
    cast = Cast({"message": ("otherwise", "left")}, None)
    assert [cast.perform(Message())[0] for _ in range(3)] == ["otherwise", "left", "left"]


RIGHT: list[tuple[str, Sequence[str]]] = [
    ("kari", ["busy", "answered"]),
    ("PJSIP/7", ["unreachable"]),
    ("+4790000001", ["no_answer"]),
    ("900 00 001", ["declined"]),
    ("reception", ["full", "empty", "timeout", "answered"]),
    ("menu", ["1", "*", "#", "otherwise"]),
    ("directory", ["ola", "otherwise"]),
    ("message", ["left", "otherwise"]),
    ("callback", ["requested", "otherwise"]),
    ("challenge", ["passed", "failed"]),
]
FINDS = "the ids of people with a name or an extension, whose client has a directory"
ACTS = "menu, directory, message, callback, challenge"
WRONG: list[tuple[str, Sequence[str], str, bool]] = [
    ("karo", ["busy"], "nobody is called `karo`; did you mean `kari`?", True),
    (
        "nobody at all",
        ["busy"],
        "nobody is called `nobody at all`; "
        f"write a person's or queue's id, PJSIP/ENDPOINT, a number, or one of {ACTS}",
        True,
    ),
    (
        "kari",
        ["busy", "full"],
        "`full` is nothing that `kari` does; "
        "write one of answered, busy, no_answer, declined, unreachable, failed",
        False,
    ),
    (
        "reception",
        ["busy"],
        "`busy` is nothing that `reception` does; write one of answered, full, empty, timeout, left",
        False,
    ),
    ("directory", ["bo"], f"`bo` is nothing that `directory` does; write one of {FINDS}", False),
    ("directory", ["kari"], f"`kari` is nothing that `directory` does; write one of {FINDS}", False),
    ("message", ["empty"], "`empty` is nothing that `message` does; write one of left, otherwise", False),
]


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    found = compile_rules({"f.yaml": RULES}, Dialling())
    assert isinstance(found, RuleSet)
    return found


@pytest.mark.parametrize(("name", "done"), RIGHT, ids=[row[0] for row in RIGHT])
def test_what_can_be_given(name: str, done: Sequence[str], rules: RuleSet) -> None:
    assert Roles(rules).what_is_wrong(name, done) is None


@pytest.mark.parametrize(("name", "done", "text", "in_name"), WRONG, ids=[row[2] for row in WRONG])
def test_what_cannot_be_given(
    name: str, done: Sequence[str], text: str, in_name: bool, rules: RuleSet
) -> None:
    wrong = Roles(rules).what_is_wrong(name, done)
    assert wrong is not None
    assert (words_of(wrong.error), wrong.in_name) == (text, in_name)


def test_a_name_that_is_a_person_s_and_a_queue_s_counts_where_it_fits() -> None:
    cast = Cast({"kari": ("full", "busy")}, None)
    assert cast.ring(KARI[:1]) == ["busy"]
    assert cast.perform(Queue("kari", ("bo",), 60.0)) == ("full", "")


def test_whom_a_caller_looks_for_time_after_time() -> None:
    cast = Cast({"directory": ("kari", "ola")}, None)
    assert [cast.perform(Directory())[0] for _ in range(3)] == ["kari", "ola", "ola"]
    assert Cast({}, None).perform(Directory()) == ("otherwise", "")
