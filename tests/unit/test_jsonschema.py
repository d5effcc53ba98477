"""The JSON Schema: what an editor is told of the documents."""

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import Field

from router.core.dialling import Dialling
from router.core.jsonschema import DOCUMENTS, LOOKS, Document, json_schema
from router.core.reading import Reading
from router.core.schema import ClientDoc
from router.core.shapes import check
from router.core.written import Shape, Text, as_text
from router.core.yamltext import read_yaml
from tests.unit import test_decide, test_explain, test_rules, test_scenarios, yaml12
from tests.unit.test_rules import HEAD, route

RULES = Path(__file__).parents[2] / "rules"
SCHEMAS = {name: json_schema(document) for name, document in DOCUMENTS.items()}
SCHEMA = SCHEMAS["client"]


def wrong(text: str, of: str = "client") -> set[str]:
    """Where the schema refuses a document, as an editor reads it."""
    errors = Draft202012Validator(SCHEMAS[of]).iter_errors(yaml12.load(text))
    return {"/".join(map(str, error.absolute_path)) for error in errors}


def of_file(name: str) -> str:
    """What kind of document a file of the rules is."""
    return "tests" if name.endswith(".test.yaml") else "shared" if name == "shared.yaml" else "client"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_it_is_a_valid_schema_of_draft_2020_12(name: str) -> None:
    assert SCHEMAS[name]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(SCHEMAS[name])


FILES = sorted(file.relative_to(RULES) for file in RULES.rglob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=map(str, FILES))
def test_the_example_rules_hold_and_name_their_schema(file: Path) -> None:
    text = (RULES / file).read_text(encoding="utf-8")
    assert wrong(text, of_file(file.name)) == set()
    up = "../" * (len(file.parts) - 1)
    first = text.splitlines()[0]
    assert first == f"# yaml-language-server: $schema={up}{DOCUMENTS[of_file(file.name)].schema_file}"


Way = tuple[str | int, ...]
"""Keys and places that lead to a part of a document."""


def all_parts(part: Any, way: Way = ()) -> Iterator[tuple[Way, Any]]:
    """Everything in a document, with the way there."""
    yield way, part
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in inner:
        yield from all_parts(value, (*way, key))


def without(schema: dict[str, Any], way: Way) -> dict[str, Any]:
    """A schema that has not what is there."""
    changed = copy.deepcopy(schema)
    *before, last = way
    here: Any = changed
    for key in before:
        here = here[key]
    del here[last]
    return changed


SERVICE = [(file, yaml12.load(file.read_text("utf-8"))) for file in RULES.glob("examples/*-service/*.yaml")]


@pytest.mark.brute
def test_the_answering_service_uses_every_key_of_the_language() -> None:
    """Without it, one of its files would be refused. What two documents have in common is needed in one."""
    used: dict[Way, bool] = {}
    for of, schema in SCHEMAS.items():
        written = [doc for file, doc in SERVICE if of_file(file.name) == of]
        for way, _ in all_parts(schema):
            if way[-2:-1] == ("properties",):
                valid = Draft202012Validator(without(schema, way)).is_valid
                name = way if way[0] == "$defs" else (of, *way)
                used[name] = used.get(name, False) or not all(map(valid, written))
    by_name_alone = {
        ("$defs", "HangupStep", "properties", "hangup"),
        ("$defs", "DirectoryStep", "properties", "directory"),
    }
    assert {way for way, once in used.items() if not once} == by_name_alone


def test_the_answering_service_uses_every_choice_of_the_language() -> None:
    choices = {part for way, part in all_parts(SCHEMA) if way[-2:-1] == ("enum",)}
    values = {part for _, doc in SERVICE for _, part in all_parts(doc) if isinstance(part, str)}
    assert choices - values == set()


ACCEPTED = [
    ("numbers without quotes", "people: {kari: {extension: 101, numbers: +4722334456, rings: 90000001}}"),
    ("names that look like numbers", "routes: [{name: 1, do: {goto: 2}}, {name: 2, do: hangup}]"),
    ("a name that looks like a fraction", "routes: [{name: 1.5, do: []}]"),
    ("dates without quotes", "routes: [{name: r, when: {between: [2026-12-23, 2026-12-24 12:00]}, do: []}]"),
    ("dates as keys", "hours: {o: {dates: {2026-12-23: closed, 12-24..01-02: '08:00 - 9:00, 10:00-11:00'}}}"),
    ("a country that is false elsewhere", "hours: {o: {holidays: NO}}"),
    ("several days", "hours: {o: {week: {'Mon, wed - fri': 22:00-02:00}}}"),
    (
        "one for a list",
        "last_resort: hangup\nroutes: [{name: r, when: {caller: anonymous}, do: {ring: PJSIP/1}}]",
    ),
    ("a step by its name alone", route("[decline, hangup, {hangup: }, {decline: }, {decline: busy}]")),
    ("a branch", route("[{ring: PJSIP/1, for: 1m30s, on: {no_answer: hangup, busy: []}}]")),
    ("numbers as people write them", "screening: {allow: ['+44 (0)20 7946-01xx', 815*]}"),
    ("an extension of the dialplan", route("{dialplan: {context: fax, extension: 100}}")),
    ("blanks around", "language: ' nb '\nhours: {' office ': {holidays: ' NO '}}"),
    ("nothing for what may be left out", "people: {kari: {name: , hours: , do: , rings: PJSIP/1}}"),
]


@pytest.mark.parametrize("text", [row[1] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_what_people_write_is_accepted(text: str) -> None:
    assert wrong(HEAD + text) == set()


def test_what_shared_yaml_can_give_may_be_left_out() -> None:
    assert wrong("client: fjord\nname: Fjord\n") == set()


REFUSED = [
    (
        "half in shadow",
        "screening: {block: [{name: b, numbers: '+45*', shadow: yes}]}",
        "screening/block/0/shadow",
    ),
    ("an unknown key", "grating: hi", ""),
    ("a queue of nobody", "queues: {q: {agents: []}}", "queues/q/agents"),
    ("a key by its name in Python", route("[{ring: PJSIP/1, ring_for: 20s}]"), "routes/0/do"),
    ("no steps", "routes: [{name: r}]", "routes/0"),
    ("text for a list of routes", "routes: main", "routes"),
    ("a list for a mapping", "hours: [office]", "hours"),
    ("a list for text", "language: [nb]", "language"),
    ("truth for text", "language: true", "language"),
    ("blanks for text", "language: '  '", "language"),
    ("not a choice", "tone: rude", "tone"),
    ("an id that is none", "hours: {24h: {}}", "hours"),
    ("hours that are none", "hours: {o: {week: {mon: 8-16}}}", "hours/o/week/mon"),
    ("a day that is none", "hours: {o: {week: {man: closed}}}", "hours/o/week"),
    ("a date that is none", "hours: {o: {dates: {24/12: closed}}}", "hours/o/dates"),
    (
        "a moment that is none",
        "routes: [{name: r, when: {between: [24/12, 25/12]}, do: []}]",
        "routes/0/when",
    ),
    (
        "a period without an end",
        "routes: [{name: r, when: {between: [2026-12-24]}, do: []}]",
        "routes/0/when",
    ),
    ("a pattern that is none", "screening: {block: [{name: b, numbers: vip}]}", "screening/block/0/numbers"),
    ("nothing to block", "screening: {block: [{name: b, numbers: []}]}", "screening/block/0/numbers"),
    ("an unknown treatment", "screening: {treatment: shoot}", "screening/treatment"),
    ("an extension that is none", "people: {kari: {extension: k1}}", "people/kari/extension"),
    ("an endpoint of another kind", "people: {kari: {rings: [Local/1]}}", "people/kari/rings"),
    ("an exception without an end", "exceptions: [{title: x, from: 2026-12-01, owner: k}]", "exceptions/0"),
    ("an unknown step", route("[rign]"), "routes/0/do"),
    ("a step that needs a value", route("[ring]"), "routes/0/do"),
    ("two steps in one", route("[{say: {file: a}, ring: PJSIP/1}]"), "routes/0/do"),
    ("a value for hangup", route("[{hangup: now}]"), "routes/0/do"),
    ("a duration without unit", route("[{ring: PJSIP/1, for: 25}]"), "routes/0/do"),
    ("an order that is none", route("[{ring: PJSIP/1, order: random}]"), "routes/0/do"),
    ("an outcome that is none", route("[{ring: PJSIP/1, on: {engaged: []}}]"), "routes/0/do"),
    ("another kind of media", "last_resort: {say: {file: 'http://x/y'}}", "last_resort"),
    ("no alternative", "routes: [{name: r, when: [], do: []}]", "routes/0/when"),
    ("a country in full", "routes: [{name: r, when: {caller: {country: Norway}}, do: []}]", "routes/0/when"),
]


@pytest.mark.parametrize(("text", "place"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_is_wrong_is_marked_while_it_is_typed(text: str, place: str) -> None:
    assert wrong(HEAD + text) == {place}


CALL = "call: {to: 22334455, at: 2026-12-24 10:00}"
TESTS = [
    ("a call to a number", f"tests: [{{name: t, {CALL}, expect: {{steps: ring}}}}]", set()),
    (
        "names that are numbers",
        f"tests: [{{name: 1, {CALL}, given: {{90000001: busy}}, expect: {{}}}}]",
        set(),
    ),
    ("no time", "tests: [{name: t, call: {to: 1}, expect: {}}]", {"tests/0/call"}),
    (
        "no disposition",
        f"tests: [{{name: t, {CALL}, expect: {{disposition: x}}}}]",
        {"tests/0/expect/disposition"},
    ),
]


@pytest.mark.parametrize(("text", "places"), [row[1:] for row in TESTS], ids=[row[0] for row in TESTS])
def test_tests_have_their_own_schema(text: str, places: set[str]) -> None:
    assert wrong(text, "tests") == places


def documents() -> Iterator[str]:
    """Clients' documents of other tests, right and wrong."""
    yield from (test_decide.RULES, test_decide.MORE, test_explain.RULES, test_scenarios.RULES, HEAD)
    tables: tuple[list[Any], ...] = (test_rules.CASES, test_rules.LOOPS, test_rules.WARNINGS)
    yield from (HEAD + row[1] for rows in tables for row in rows)
    yield from (row[1] for row in test_rules.WHOLE)


def accepted(text: str) -> bool:
    """Whether our own reader takes a client's document."""
    read = read_yaml("f.yaml", text)
    reading = Reading.of(read.data, Dialling("PJSIP/{number}@trunk"))
    return not read.errors and isinstance(check(read, ClientDoc, reading), ClientDoc)


def test_what_our_own_reader_accepts_the_schema_accepts() -> None:
    taken = [text for text in documents() if accepted(text)]
    assert len(taken) > 30
    assert [text for text in taken if wrong(text)] == []


def test_texts_look_the_same_to_every_editor() -> None:
    """What ECMA 262 lacks, or writes otherwise: named groups, flags, and Python's own anchors."""
    strange = re.compile(r"\(\?[^:]|\\[AZ]")
    assert [look.pattern for look in LOOKS.values() if strange.search(look.pattern)] == []


def parts() -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything that is described: each document, and each definition in it."""
    for name, schema in SCHEMAS.items():
        yield name, schema
        yield from ((f"{name}: {key}", definition) for key, definition in schema.get("$defs", {}).items())


def test_a_new_field_and_a_new_reader_need_nothing_here() -> None:
    def read_paint(value: object) -> object:
        return value

    class CoatDoc(Shape):
        thick: bool = False

    class NewDoc(Shape):
        coat: CoatDoc = CoatDoc()
        paint: Annotated[object, as_text(read_paint)]
        layers: Annotated[dict[Text, Text], Field(min_length=1)]
        coats: int = 2
        """How many."""

    schema = json_schema(Document(NewDoc, "", ""))
    assert schema["properties"]["coats"] == {"type": "integer", "default": 2, "description": "How many."}
    assert schema["properties"]["coat"] == {"$ref": "#/$defs/CoatDoc", "default": {}}
    assert schema["$defs"]["CoatDoc"]["description"] == ""
    assert schema["$defs"]["Paint"]["type"] == ["string", "number"]
    assert schema["properties"]["layers"]["minProperties"] == 1
    assert schema["required"] == ["paint", "layers"]


def test_everything_has_a_description() -> None:
    """A docstring is missing where this fails: of the class, of the field, or of the reader of a value."""
    bare = [name for name, part in parts() if not part.get("description")]
    for name, part in parts():
        keys = part.get("properties", {})
        bare += [f"{name}.{key}" for key, value in keys.items() if not value.get("description")]
    assert ", ".join(bare) == ""


def examples() -> Iterator[tuple[str, dict[str, Any], object]]:
    """The examples in the descriptions, with the definition that they are of."""
    for name, part in parts():
        for text in re.findall(r"```yaml\n(.*?)```", part.get("markdownDescription", ""), re.DOTALL):
            example = yaml12.load(text)
            yield from ((name, part, one) for one in (example if isinstance(example, list) else [example]))


@pytest.mark.parametrize(
    ("name", "part", "example"), list(examples()), ids=[name for name, _, _ in examples()]
)
def test_the_examples_are_right(name: str, part: dict[str, Any], example: object) -> None:
    """Each alone, or below the one key that leads to it; a step's name stands for the step."""
    schema = {**part, "$defs": SCHEMAS[name.partition(":")[0]].get("$defs", {})}
    valid = Draft202012Validator(schema).is_valid
    whole = example if isinstance(example, dict) else {example: None}
    assert valid(whole) or all(map(valid, whole.values()))
