"""Lists of numbers in tables: what is read, what is passed over and told, and what is shared."""

import pytest

from router.core.numberlists import MOST_UNREAD, NumberLists
from router.core.numbers import PhoneNumber

PHONEBLOCK = """{"numbers": [{"phone": "+4930111111", "votes": 12, "rating": "G_FRAUD", "lastUpdate": 1},
 {"phone": "+4930222222", "votes": 3}, {"phone": "+4930333333"}], "version": 7}"""


def numbers(text: str, name: str = "feed.csv", country: str | None = "NO", min_votes: int = 0) -> list[str]:
    found = NumberLists({name: text}).load(name, country, min_votes)
    assert found.size == len(found.index)
    return sorted(pattern for _, pattern in found.index.rows())


def told(text: str, name: str = "feed.csv", min_votes: int = 0) -> list[str]:
    lists = NumberLists({name: text}, "rules/")
    found = lists.load(name, "NO", min_votes)
    assert lists.warnings() == set(found.skipped)
    return [str(warning) for warning in found.skipped]


FORMATS = [
    ("one a line", "# ads\n+47 22 33 44 55\n\n22334456  # seen twice\n", ["+4722334455", "+4722334456"]),
    ("patterns", "+4781549xxx\n+47 815*\n", ["+47815*", "+4781549xxx"]),
    ("the same twice", "+4722334455\n22334455\n", ["+4722334455"]),
    ("CSV without a header", "+4722334455,Ads Ltd\n+4722334456,\n", ["+4722334455", "+4722334456"]),
    ("a column `number`", "name,Number\nAds Ltd,+4722334455\n", ["+4722334455"]),
    ("a column `phone`, and `votes`", "phone;votes\n22334455;7\n", ["+4722334455"]),
    ("a column `telephone`", "x\tTelephone\ny\t+4722334455\n", ["+4722334455"]),
    ("a column `caller`", 'caller,why\n+4722334455,"rude,\ntwice"\n', ["+4722334455"]),
    ("two such columns", "caller,number\n+4722334455,+4722334456\n", ["+4722334456"]),
    ("a stray quote beside a number", '+4722334455,5" screen\n+4722334456\n', ["+4722334455", "+4722334456"]),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in FORMATS], ids=[row[0] for row in FORMATS])
def test_lists_are_read_as_people_and_feeds_write_them(text: str, expected: list[str]) -> None:
    assert numbers(text) == expected
    assert told(text) == []


VOTES = [
    ("any", PHONEBLOCK, "feed.json", 0, ["+4930111111", "+4930222222", "+4930333333"]),
    ("enough", PHONEBLOCK, "feed.json", 3, ["+4930111111", "+4930222222"]),
    ("CSV", "phone,votes\n+4930111111,12\n+4930222222,2\n+4930333333,many\n+4930444444\n", "f.csv", 3, None),
]


@pytest.mark.parametrize(
    ("text", "name", "least", "expected"), [row[1:] for row in VOTES], ids=[row[0] for row in VOTES]
)
def test_numbers_may_need_votes(text: str, name: str, least: int, expected: list[str] | None) -> None:
    assert numbers(text, name, min_votes=least) == (expected or ["+4930111111"])
    assert told(text, name, least) == []


EMPTY = (
    "this list has no number that can be used; write one number a line, or name their column `number` in "
    "the first line"
)
NO_NUMBER = "there is no number here; add it, or take the row out"
NOT_ONE = "is not a number or a pattern; take the row out"
TOLD = [
    ("empty", "", "feed.csv", 0, [f"rules/feed.csv: {EMPTY}"]),
    ("a header alone", "number,votes\n", "feed.csv", 0, [f"rules/feed.csv: {EMPTY}"]),
    (
        "an odd row",
        "+4722334455\nspam\n+4722334456",
        "feed.csv",
        0,
        [
            "rules/feed.csv:2:1: `spam` is not a number or a pattern; write +4722334455, +472233446x (x is "
            "one digit) or +4722*"
        ],
    ),
    (
        "short rows",
        "name,number\nAds\nAds,\nAds,+4722334455",
        "feed.csv",
        0,
        [f"rules/feed.csv:2:1: {NO_NUMBER}", f"rules/feed.csv:3:1: {NO_NUMBER}"],
    ),
    (
        "rows of nothing telephonic",
        f"+4722334455\n{'1' * 99}\n\x1b[31mred",
        "feed.csv",
        0,
        [f"rules/feed.csv:2:1: `{'1' * 60}` {NOT_ONE}", f"rules/feed.csv:3:1: `[31mred` {NOT_ONE}"],
    ),
    (
        "a pattern for half the world",
        "+4722334455\n+4*",
        "feed.csv",
        0,
        [
            "rules/feed.csv:2:1: `+4*` takes in whole countries; write such a pattern into the rules "
            "themselves"
        ],
    ),
    (
        "many odd rows",
        "+4722334455\n" + "2\n" * 9,
        "feed.csv",
        0,
        [
            *(
                f"rules/feed.csv:{line}:1: `2` is not a number in NO; write it as in +4722334455"
                for line in range(2, 7)
            ),
            "rules/feed.csv:7:1: this row, and 4 in all after those named, cannot be read; correct them, or "
            "take them out",
        ],
    ),
    (
        "JSON with odd entries",
        '{"numbers": [{"phone": 1}, {"votes": 3}, "\ud800", {"phone": "+4722334455"}]}',
        "feed.json",
        0,
        [f"rules/feed.json: entry {number}: {NO_NUMBER}" for number in (1, 2, 3)],
    ),
    (
        "votes that no row has",
        "number\n+4722334455",
        "feed.csv",
        3,
        [
            "rules/feed.csv: no row has votes, so none has the 3 of `min_votes`; leave `min_votes` out, or "
            "add a column `votes`"
        ],
    ),
]


@pytest.mark.parametrize(
    ("text", "name", "least", "expected"), [row[1:] for row in TOLD], ids=[row[0] for row in TOLD]
)
def test_odd_rows_are_passed_over_and_told(text: str, name: str, least: int, expected: list[str]) -> None:
    assert told(text, name, least) == expected


def test_what_is_no_list_is_not_read_to_its_end() -> None:
    lines = told("2\n" * (MOST_UNREAD + 5))
    assert lines[-2:] == [
        f"rules/feed.csv:{MOST_UNREAD}:1: {MOST_UNREAD} rows up to here cannot be read, and the rest of the "
        "list was left unread; correct them, or take them out",
        f"rules/feed.csv: {EMPTY}",
    ]
    assert len(lines) == 7


def test_what_is_no_export_is_not_read_to_its_end() -> None:
    text = '{"numbers": [' + "1, " * MOST_UNREAD + '{"phone": "+4930111111"}]}'
    assert f"{MOST_UNREAD} rows up to here cannot be read" in told(text, "feed.json", 5)[-2]


def test_words_are_no_list() -> None:
    assert numbers("word\n" * MOST_UNREAD + "+4722334455\n") == []


BROKEN = [
    ("not JSON", "feed.json", "<html>", "`feed.json` is not PhoneBlock's JSON ("),
    ("JSON of another shape", "feed.json", '{"entries": []}', "`feed.json` is not PhoneBlock's JSON ("),
    (
        "deep JSON",
        "feed.json",
        '{"numbers": [' + "[" * 99_999 + "]" * 99_999 + "]}",
        "`feed.json` is not PhoneBlock's JSON (",
    ),
    (
        "two columns of numbers",
        "feed.csv",
        "phone,Phone\n1,2",
        "`feed.csv:1` has two columns `phone`; give each its own name",
    ),
    ("two columns of votes", "feed.csv", "phone,votes,votes\n1,2", "`feed.csv:1` has two columns `votes`; "),
    ("no such list", "other.csv", "", "there is no `feed.csv` in the rules' folder; "),
]


@pytest.mark.parametrize(
    ("name", "text", "expected"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN]
)
def test_a_list_that_is_none_says_why_each_time(name: str, text: str, expected: str) -> None:
    lists = NumberLists({name: text})
    for _ in range(2):
        with pytest.raises(ValueError) as refused:  # noqa: PT011 - the text is compared
            lists.load("feed.csv" if "other" in name else name, "NO")
        assert str(refused.value).startswith(expected)


NATIONAL, INTERNATIONAL = "22334455\n", "# 1\n+4722334455\nspam\n"
SHARING = [
    ("the same country", NATIONAL, ("NO", 0), ("NO", 0), True),
    ("another country", NATIONAL, ("NO", 0), ("SE", 0), False),
    ("another country, but no national number", INTERNATIONAL, ("NO", 0), ("SE", 0), True),
    ("other votes", INTERNATIONAL, ("NO", 0), ("NO", 1), False),
]


@pytest.mark.parametrize(
    ("text", "one", "other", "same"), [row[1:] for row in SHARING], ids=[row[0] for row in SHARING]
)
def test_a_list_is_indexed_once(text: str, one: tuple[str, int], other: tuple[str, int], same: bool) -> None:
    lists = NumberLists({"feed.csv": text})
    first, second = lists.load("feed.csv", *one), lists.load("./feed.csv", *other)
    assert (first.index is second.index) is same


def test_national_numbers_are_the_countrys() -> None:
    assert numbers("08-123 456 78\n", country="SE") == ["+46812345678"]
    assert numbers("22 33 44 55\n", country=None) == []


def test_the_index_finds_what_the_list_has() -> None:
    index = NumberLists({"feed.csv": "+4781549xxx\n"}).load("feed.csv", None).index
    assert index.find(PhoneNumber("+4781549123")) == "+4781549xxx"
    assert index.find(PhoneNumber("+4781548123")) is None
