"""YAML text -> data with places, and everything that is refused."""

import pytest
import yaml

from router.core import yamltext
from router.core.yamltext import MAX_CHARACTERS, MAX_VALUES, read_yaml


@pytest.fixture(autouse=True, params=["libyaml", "PyYAML alone"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "PyYAML alone":
        monkeypatch.setattr(yamltext, "LOADER", yaml.SafeLoader)
    name: str = request.param
    return name


DATA = [
    ("nothing", "", None),
    ("a comment", "# x\n", None),
    ("text", "a: b", {"a": "b"}),
    ("no is text", "a: NO", {"a": "NO"}),
    (
        "numbers are text",
        "a: [+4722334455, 0800, 12, 1e3, 0x10]",
        {"a": ["+4722334455", "0800", "12", "1e3", "0x10"]},
    ),
    ("dates are text", "2026-12-23: 12-24", {"2026-12-23": "12-24"}),
    ("truth", "a: [true, FALSE, yes]", {"a": [True, False, "yes"]}),
    ("quoted truth is text", "a: 'true'", {"a": "true"}),
    ("nulls", "a: ~\nb:\nc: null\nd: ''", {"a": None, "b": None, "c": None, "d": ""}),
    ("keys are text", "1: a\ntrue: b", {"1": "a", "true": "b"}),
    ("a huge number", "a: " + "9" * 5000, {"a": "9" * 5000}),
    ("a byte order mark", "\ufeffa: b", {"a": "b"}),
    ("a list at the top", "- a\n- [b]", ["a", ["b"]]),
]


@pytest.mark.parametrize(("text", "data"), [row[1:] for row in DATA], ids=[row[0] for row in DATA])
def test_data(text: str, data: object) -> None:
    read = read_yaml("f.yaml", text)
    assert (read.data, read.errors, read.whole) == (data, (), True)


def test_everything_has_its_place() -> None:
    read = read_yaml("f.yaml", "a: b\nlist:\n  - c\n  - {d: e}\n")
    assert read.mark(()) == ("f.yaml", 1, 1)
    assert read.mark(("a",)) == ("f.yaml", 1, 4)
    assert read.mark(("a",), at_key=True) == ("f.yaml", 1, 1)
    assert read.mark(("list", 1, "d")) == ("f.yaml", 4, 9)
    assert read.mark(("list", 1, "d", "deeper", 0)) == ("f.yaml", 4, 9)
    assert read.mark(("nowhere",), at_key=True) == ("f.yaml", 1, 1)
    assert read.place(("list", 0)) == "f.yaml:3"


REFUSED = [
    ("a key twice", "a: 1\nb: 2\na: 3", ["f.yaml:3:1: `a` is here twice, first on line 1; write it once"]),
    (
        "an alias and its anchor",
        "a: &x 1\nb: *x",
        [
            "f.yaml:1:4: `&x` is an anchor; write the value out at each use",
            "f.yaml:2:4: `*x` is an alias; write the value out, or put it in quotes",
        ],
    ),
    ("an anchor on a list", "a: &x [1]", ["f.yaml:1:4: `&x` is an anchor; write the value out at each use"]),
    (
        "an alias as a key",
        "*x : 1",
        [
            "f.yaml:1:1: `*x` is an alias; write the value out, or put it in quotes",
            "f.yaml:1:1: a key must be text; write `key: value`",
        ],
    ),
    ("a list as a key", "? [a]\n: b", ["f.yaml:1:3: a key must be text; write `key: value`"]),
    (
        "a tag",
        "a: !!python/object:os.system x",
        [
            "f.yaml:1:4: `tag:yaml.org,2002:python/object:os.system` is a tag; leave it out; quote what "
            "is to be text"
        ],
    ),
    ("a second document", "a: 1\n---\nb: 2", ["f.yaml:2:1: a second document begins here; write one a file"]),
    ("a tab", "a:\n\tb: 1", ["f.yaml:2:1: a tab cannot indent YAML; use spaces"]),
    (
        "a directive",
        "a: 1\n...\n%TAG ! x\n",
        ["f.yaml:3:1: a line that begins with `%` is a directive; leave it out"],
    ),
    (
        "more than belongs into one file",
        "[" + "a,\n" * MAX_VALUES,
        [
            f"f.yaml:{MAX_VALUES}:1: more than {MAX_VALUES} keys and values, up to here; keep numbers and "
            "people in tables, or split the file"
        ],
    ),
    *(
        (
            f"more than belongs into one file, the last {what}",
            "[" + "a,\n" * (MAX_VALUES - 1) + last,
            [
                f"f.yaml:{MAX_VALUES}:1: more than {MAX_VALUES} keys and values, up to here; keep numbers "
                "and people in tables, or split the file"
            ],
        )
        for what, last in (("a mapping", "{}"), ("an alias", "*x"))
    ),
    ("NUL", "a: 1\nb: \x00", ["f.yaml:2:4: the character U+0000 cannot be in YAML; take it out"]),
    ("a surrogate", "a: \ud800", ["f.yaml:1:4: the character U+D800 cannot be in YAML; take it out"]),
    ("forty-one levels", "[" * 41, ["f.yaml:1:41: more than 40 levels deep; use fewer levels"]),
    ("a hundred thousand levels", "[" * 100_000, ["f.yaml:1:41: more than 40 levels deep; use fewer levels"]),
    (
        "a huge text",
        "#" * (MAX_CHARACTERS + 1),
        ["f.yaml: longer than 1000000 characters; split it into more files"],
    ),
]


@pytest.mark.parametrize(("text", "errors"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(text: str, errors: list[str]) -> None:
    assert [str(error) for error in read_yaml("f.yaml", text).errors] == errors


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [1", 1),
        ("a: b: c", 1),
        ("a: 1\n  b: 2", 2),
        ("a: 'x", 1),
        ("@x", 1),
        ("a: }", 1),
        ("`x\n", 1),
        ("a: *", 1),
    ],
)
def test_broken_yaml_is_placed(text: str, line: int) -> None:
    read = read_yaml("f.yaml", text)
    (error,) = read.errors
    assert error.what.startswith("this is not YAML: ")
    assert abs(error.line - line) <= 1
    assert not read.whole
