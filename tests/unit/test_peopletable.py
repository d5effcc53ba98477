"""`people_from`: people out of a table, and what is wrong with some."""

import pytest

from router.core.dialling import Dialling
from router.core.peopletable import COLUMNS, MOST_NUMBERS, MOST_PEOPLE
from router.core.plan import Ring
from router.core.remarks import RuleErrors
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet

HEAD = """\
client: fjord
name: Fjord Legesenter
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
people_from: people.csv
"""
"""Six lines; a case's own text begins on line 7."""


def load(table: str | None, text: str = "", name: str = "people.csv") -> RuleSet | RuleErrors:
    tables = {} if table is None else {name: table}
    return compile_rules({"rules/f.yaml": HEAD + text}, Dialling("PJSIP/{number}@trunk"), tables)


def compiled(table: str, text: str = "") -> RuleSet:
    rules = load(table, text)
    assert isinstance(rules, RuleSet), rules
    return rules


TABLE = """\
# from the payroll
id;Name;extension;numbers;rings;hours
kari;Kari Nordmann;101;"22334461; +47 22 33 44 62";"PJSIP/kari; +47 900 00 001";office
ola;Ola Nordmann;102;;PJSIP/ola;
"""
USES = "hours: {office: {week: {mon: 08:00-16:00}}}\nroutes: [{name: r, do: [{ring: kari}, {person: ola}]}]"


def test_people_of_a_table_are_like_others() -> None:
    rules = compiled(TABLE, USES)
    client = rules.clients["fjord"]
    assert list(client.people) == ["kari", "ola"]
    kari = client.people["kari"]
    assert (kari.place, kari.hours, client.people["ola"].own) == ("rules/people.csv:3", "office", None)
    assert len(rules.numbers) == 3
    first, second, *_ = (node.step for node in client.routes[0].layout.plan.nodes)
    assert isinstance(first, Ring)
    assert isinstance(second, Ring)
    assert [target.dial for target in first.rounds[0]] == ["PJSIP/kari", "PJSIP/+4790000001@trunk"]
    assert [target.name for target in second.rounds[0]] == ["ola"]
    assert rules.warnings == ()


def test_people_of_both_are_the_clients() -> None:
    rules = compiled("id,extension\nola,102\n", "people: {kari: {rings: PJSIP/1, numbers: 22334461}}")
    assert list(rules.clients["fjord"].people) == ["kari", "ola"]


CSV = "rules/people.csv"
NO_TABLE = "rules/f.yaml:6:14: "
KARI = "people: {kari: {rings: PJSIP/1, extension: 101, numbers: 22334461}}"
WRONG = [
    ("no table", None, "", [f"{NO_TABLE}there is no `people.csv` in the rules' folder; add it"]),
    (
        "an empty table",
        "\n# none\n",
        "",
        [f"{CSV}: this table is empty; name its columns in the first line: "],
    ),
    (
        "binary",
        "id\n\x00",
        "",
        [f"{NO_TABLE}`people.csv:2` has a NUL byte, so it is no text; save the table as UTF-8"],
    ),
    (
        "no header",
        "kari,Kari\n",
        "",
        [f"{CSV}:1:1: the first line names no column of people; write {','.join(COLUMNS)}"],
    ),
    (
        "no ids",
        "name\nKari\n",
        "",
        [f"{CSV}:1:1: there is no column `id`; add it"],
    ),
    (
        "an unknown column",
        "id,extensjon\nkari,1\n",
        "",
        [f"{CSV}:1:1: `extensjon` is not a column of people; did you mean `extension`?"],
    ),
    (
        "a column like none",
        "id,weight\nkari,1\n",
        "",
        [f"{CSV}:1:1: `weight` is not a column of people; the columns are {', '.join(COLUMNS)}"],
    ),
    ("a column twice", "id,name,Name\n", "", [f"{CSV}:1:1: column `name` is here twice; name each once"]),
    (
        "a quote not closed",
        'id,name\nkari,"Kari\nola,Ola\n',
        "",
        [f'{CSV}:2:1: a quote here is not closed; write " around a value, or leave it out'],
    ),
    (
        "too many values",
        "id,name\nkari,Nordmann,Kari\n",
        "",
        [
            f'{CSV}:2:1: this row has 3 values, and there are 2 columns; write " around a value that has the '
            "delimiter in it"
        ],
    ),
    (
        "a line break in a value",
        'id,name\nkari,"Kari\nNordmann"\n',
        "",
        [f"{CSV}:2:1: column `name`: the text has line breaks or control characters; write it on one line"],
    ),
    ("no id", "id,name\n,Kari\n", "", [f"{CSV}:2:1: column `id`: it is empty; give this person an id"]),
    (
        "a bad id",
        "id,name\nkari n,Kari\n",
        "",
        [
            f"{CSV}:2:1: column `id`: `kari n` is not an id; begin with a letter and use letters, digits, "
            "_ . -"
        ],
    ),
    (
        "an empty cell among values",
        "id,rings\nkari,PJSIP/1;;x\n",
        "",
        [f"{CSV}:2:1: column `rings`: `x` cannot be rung; write PJSIP/ENDPOINT or a number "],
    ),
    (
        "an id twice",
        "id\nkari\nkari\n",
        "",
        [f"{CSV}:3:1: `kari` is already at {CSV}:2; give each person their own id"],
    ),
    (
        "an id that the client's file has",
        "id\nkari\n",
        KARI,
        [f"{CSV}:2:1: `kari` is already at rules/f.yaml:7; give each person their own id"],
    ),
    (
        "an extension that the client's file has",
        "id,extension\nola,101\n",
        KARI,
        [f"{CSV}:2:1: extension `101` is already at rules/f.yaml:7; give each its own"],
    ),
    (
        "a number that the client's file has",
        "id,numbers\nola,22334461\n",
        KARI,
        [
            "rules/people.csv:2:1: `+4722334461` is also `kari`'s, by `+4722334461` at rules/f.yaml:7; take "
            "it from one of them"
        ],
    ),
    (
        "values of several kinds",
        "id,extension,numbers,rings,hours\nkari,k1,22,Local/1;+4790000001,office\n",
        "",
        [
            f"{CSV}:2:1: column `extension`: `k1` is not an extension; write digits, at most 8",
            f"{CSV}:2:1: column `hours`: no hours are called `office`; add it under `hours:`",
            f"{CSV}:2:1: column `numbers`: `+4722` has 2 digits after +47; numbers there have 5 or 8",
            f"{CSV}:2:1: column `rings`: `Local/1` cannot be rung; write PJSIP/ENDPOINT or a number such as ",
        ],
    ),
    (
        "a number abroad",
        "id,rings\nkari,+442079460000\n",
        "",
        [f"{CSV}:2:1: column `rings`: `+442079460000` is not among the allowed destinations (numbers in "],
    ),
    (
        "a number that comes back",
        "id,rings\nkari,PJSIP/1; 22 33 44 55\n",
        "",
        [f"{CSV}:2:1: `+4722334455` is `fjord`'s own, by `+4722334455` at rules/f.yaml:3, so the call "],
    ),
    (
        "nobody of that name",
        "id\nkari\n",
        "routes: [{name: r, do: {ring: kori}}]",
        ["rules/f.yaml:7:31: nobody here is `kori`; did you mean `kari`?"],
    ),
    (
        "too many",
        "id\n" + "".join(f"p{n}\n" for n in range(MOST_PEOPLE + 2)),
        "",
        [f"{CSV}:{MOST_PEOPLE + 2}:1: more than {MOST_PEOPLE} people; make them several clients"],
    ),
    (
        "too many numbers",
        "id,rings\n" + "".join(f"p{n},{'PJSIP/1;' * 3000}\n" for n in range(12)),
        "",
        [f"{CSV}:12:1: more than {MOST_NUMBERS} numbers and phones; make them several clients"],
    ),
    (
        "too many columns",
        "id" + ",name" * 50,
        "",
        [f"{CSV}:1:1: 51 columns are not those of a table of people; the columns are {', '.join(COLUMNS)}"],
    ),
    ("people that are none", "id\nkari\n", "people: [x]", ["rules/f.yaml:7:9: a mapping is needed here; "]),
]


@pytest.mark.parametrize(
    ("table", "text", "expected"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_what_is_wrong_is_said_at_its_row(table: str | None, text: str, expected: list[str]) -> None:
    rules = load(table, text)
    assert isinstance(rules, RuleErrors)
    found = [str(error) for error in rules.errors]
    assert len(found) == len(expected), found
    for line, beginning in zip(found, expected, strict=True):
        assert line == beginning or (beginning[-1] == " " and line.startswith(beginning))


NEAR = [("one of many", "p40O", "did you mean `p40`?"), ("nobody", "q", "add it under `people:`")]


@pytest.mark.parametrize(("name", "hint"), [row[1:] for row in NEAR], ids=[row[0] for row in NEAR])
def test_a_misspelt_name_among_many_is_told_what_it_is_near_to(name: str, hint: str) -> None:
    table = "id\n" + "".join(f"p{number}\n" for number in range(3000))
    rules = load(table, f"routes: [{{name: r, do: {{ring: {name}}}}}]")
    assert isinstance(rules, RuleErrors)
    assert [error.instead for error in rules.errors] == [hint]


NAMES = [
    ("a list", "[people.csv]", "6:14: text is needed here, not a list; write one value"),
    ("nothing", "", "6:13: text is needed here, not nothing; write one value"),
    ("two lines", '"a\\nb"', "6:14: the text has line breaks or control characters; write it on one line"),
]


@pytest.mark.parametrize(("name", "expected"), [row[1:] for row in NAMES], ids=[row[0] for row in NAMES])
def test_what_names_no_table_is_said_where_it_is(name: str, expected: str) -> None:
    rules = compile_rules({"f.yaml": HEAD.replace("people.csv", name)}, Dialling())
    assert isinstance(rules, RuleErrors)
    assert [str(error) for error in rules.errors] == [f"f.yaml:{expected}"]


NEVER = [
    ("nobody", "id,extension\nkari,101\n", []),
    ("one", "id\nkari\n", ["1 of the people in this table (kari)"]),
    (
        "many",
        "id,extension,numbers\na,1,\nb,,\nc,,\nd,,\ne,,\nf,,22334461\n",
        ["4 of the people in this table (b, c, d and 1 more)"],
    ),
]


@pytest.mark.parametrize(("table", "expected"), [row[1:] for row in NEVER], ids=[row[0] for row in NEVER])
def test_people_whom_nothing_rings_are_told_of_once(table: str, expected: list[str]) -> None:
    found = [str(warning) for warning in compiled(table).warnings]
    assert found == [
        f"rules/f.yaml:6:14: nothing rings {who}; give them an `extension` or `numbers`" for who in expected
    ]
