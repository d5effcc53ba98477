"""Names as they are keyed in, in the letters of many languages; and five thousand people found by them."""

import time

import pytest

from router.core.keypad import Index, Matches, words

WORDS: list[tuple[str, str, tuple[str, ...]]] = [
    ("two words", "Kari Nordmann", ("5274", "66736266")),
    ("all letters", "abcdefghijklmnopqrstuvwxyz", ("22233344455566677778889999",)),
    ("Norwegian", "Bjørn Åse Bæ", ("25676", "273", "223")),
    ("German and Swedish", "Jürgen Groß Öberg", ("587436", "47677", "62374")),
    ("Polish and Turkish", "Łukasz Işık", ("585279", "4745")),
    ("Icelandic", "Þór Guðrún", ("8467", "483786")),
    ("Vietnamese", "Nguyễn Đức Phượng", ("648936", "382", "748664")),
    ("Bulgarian", "Христо Йовчев Ъ", ("864675", "452832", "9")),
    ("more Cyrillic", "Щёголева Яна Фы", ("93254322", "952", "79")),
    ("all of Bulgaria's", "абвгдежзийклмнопрстуфхцчшщъьюя", ("222233334444555666777888999999",)),
    ("a hyphen", "Anne-Marie", ("2663", "62743")),
    ("an apostrophe", "O'Brien O’Hara", ("627436", "64272")),
    ("a number", "Desk 2", ("3375", "2")),
    ("marks that come alone", "A\u030ase", ("273",)),
    ("no letter that phones have", "山田 -", ()),
]


@pytest.mark.parametrize(("name", "keys"), [row[1:] for row in WORDS], ids=[row[0] for row in WORDS])
def test_a_name_as_keys(name: str, keys: tuple[str, ...]) -> None:
    assert words(name) == keys


PEOPLE = Index.of(
    [
        ("kari", "Kari Nordmann", "101"),
        ("karin", "Karin Berg", ""),
        ("kim", "Kim Hansen", "5274"),
        ("ola", "Ola Hansen", "103"),
        ("line", "Line Hanssen", ""),
        ("ada", "Ada Adamsen", ""),
        ("desk", "", "110"),
    ]
)
ROWS: list[tuple[str, str, Matches]] = [
    ("an extension", "101", Matches(("kari",), False)),
    ("the beginning of one", "10", Matches((), False)),
    ("an extension, not a name", "5274", Matches(("kim",), False)),
    ("a first name", "52746", Matches(("karin",), False)),
    ("a last name", "6673", Matches(("kari",), False)),
    ("several", "426", Matches(("kim", "ola", "line"), False)),
    ("the whole of a shorter word", "426736", Matches(("kim", "ola"), False)),
    ("a last name and a first", "4267366", Matches(("ola",), False)),
    ("first and last name", "65242", Matches(("ola",), False)),
    ("both words", "232", Matches(("ada",), False)),
    ("too many", "5", Matches((), True)),
    ("nobody", "999", Matches((), False)),
]


@pytest.mark.parametrize(("keys", "found"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_whom_keys_find(keys: str, found: Matches) -> None:
    matches = PEOPLE.find(keys, 3)
    assert (sorted(matches.people), matches.more) == (sorted(found.people), found.more)


def test_five_thousand_people_are_found_fast() -> None:
    """By all first letters that a caller may know of a name."""
    given = ["Kari", "Ola", "Bjørn", "Åse", "Nguyễn", "Христо", "Łukasz", "Anne-Marie", "Jürgen", "Phượng"]
    ends = ("sen", "vik", "lie", "dal", "mo")
    last = [f"{begins}{end}" for begins in ("Han", "Lar", "Ny", "Øst") for end in ends]
    names = (f"{given[n % 10]} {last[n // 10 % 20]} {last[n // 200 % 20]}" for n in range(5000))
    people = [(f"p{n}", name, str(10000 + n)) for n, name in enumerate(names)]
    index = Index.of(people)
    assert index.find("12345", 9) == Matches(("p2345",), False)
    assert index.find("4", 9).more
    keyed = [word for _, name, _ in people[::50] for word in words(name)]
    rows = [word[:length] for word in keyed for length in range(1, len(word) + 1)]
    taken: list[float] = []
    for row in rows:
        began = time.perf_counter()
        index.find(row, 9)
        taken.append(time.perf_counter() - began)
    median = sorted(taken)[len(taken) // 2]
    print(f"{len(rows)} look-ups: median {median * 1e6:.1f} us, longest {max(taken) * 1e6:.0f} us")
    assert median < 1e-3
