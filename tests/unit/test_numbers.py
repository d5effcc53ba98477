"""Telephone numbers, callers, patterns and the index of patterns."""

import pytest

from router.core.claims import conflicts
from router.core.numbers import CallerId, NumberIndex, NumberPattern, PhoneNumber, masked

READ = [
    ("E.164", "+4722334455", None, "+4722334455"),
    ("spaces, dashes, parentheses", "+47 (22) 33-44 55", "SE", "+4722334455"),
    ("national", "22 33 44 55", "NO", "+4722334455"),
    ("national with trunk prefix", "020 7946 0000", "GB", "+442079460000"),
    ("international prefix", "004722334455", "NO", "+4722334455"),
    ("calling code without +", "4722334455", "NO", "+4722334455"),
    ("zero in parentheses", "+44 (0)20 7946 0000", None, "+442079460000"),
    ("five-digit Norwegian", "+47 02800", None, "+4702800"),
    ("freephone of no country", "+800 1234 5678", None, "+80012345678"),
]

UNREADABLE = [
    ("letters", "kari", "NO", "`kari` is not a phone number; write it as in +4722334455"),
    ("nothing", "", "NO", "`` is not a phone number; write it as in +4722334455"),
    ("no country", "22334455", None, "`22334455` has no calling code; write it with +"),
    ("not dialled there", "1", "NO", "`1` is not a number in NO; write it as in +4722334455"),
    (
        "no calling code",
        "+999123456",
        None,
        "`+999123456` does not begin with a calling code; write it as in +4722334455",
    ),
    ("too short", "+47 2233445", None, "`+472233445` has 7 digits after +47; numbers there have 5 or 8"),
    ("too short nationally", "113", "NO", "`+47113` has 3 digits after +47; numbers there have 5 or 8"),
    ("other digits", "٢٢٣٣٤٤٥٥", "NO", "`٢٢٣٣٤٤٥٥` is not a phone number; write it as in +4722334455"),
]


@pytest.mark.parametrize(("text", "country", "e164"), [row[1:] for row in READ], ids=[row[0] for row in READ])
def test_a_number_is_read(text: str, country: str | None, e164: str) -> None:
    assert str(PhoneNumber.parse(text, country)) == e164


@pytest.mark.parametrize(
    ("text", "country", "what"), [row[1:] for row in UNREADABLE], ids=[row[0] for row in UNREADABLE]
)
def test_what_is_no_number_says_why(text: str, country: str | None, what: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the text is compared whole
        PhoneNumber.parse(text, country)
    assert str(refused.value) == what


KINDS = [
    ("a mobile", "+4790000001", "NO", False),
    ("premium rate", "+4782012345", "NO", True),
    ("shared cost", "+4781021000", "NO", True),
    ("a personal number", "+447012345678", "GB", True),
    ("a personal number in Norway", "+4788012345", "NO", True),
    ("a pager", "+447600123456", "GB", True),
    ("a mobile that looks like a pager", "+447624012345", "IM", False),
    ("one number for all offices", "+443001234567", "GB", False),
    ("freephone", "+80012345678", "001", False),
    ("five digits", "+4702800", "NO", False),
    ("a calling code shared", "+14165550123", "CA", False),
    ("a number nobody has", "+4712345678", "NO", False),
]


@pytest.mark.parametrize(
    ("e164", "country", "premium"), [row[1:] for row in KINDS], ids=[row[0] for row in KINDS]
)
def test_a_number_knows_its_country_and_cost(e164: str, country: str, premium: bool) -> None:
    number = PhoneNumber.parse(e164)
    assert (number.country, number.is_premium) == (country, premium)


MASKED = [
    ("a number", "+4790000001", "+47900***01"),
    ("a long one", "+491512345678901", "+49151***01"),
    ("ten characters", "+471234567", "+47***67"),
    ("five digits", "+4702800", "+47***00"),
    ("a national number", "12345678", "123***78"),
    ("too short to show its end", "1234567", "1***"),
    ("an extension", "101", "1***"),
    ("one digit", "7", "7***"),
    ("nothing", "", ""),
]


@pytest.mark.parametrize(("number", "shown"), [row[1:] for row in MASKED], ids=[row[0] for row in MASKED])
def test_what_is_masked(number: str, shown: str) -> None:
    assert masked(number) == shown


CALLERS = [
    ("a number", "+4790000001", "+4790000001", False, "+47900***01"),
    ("a national number", "90000001", "+4790000001", False, "+47900***01"),
    ("an extension", "100", None, False, "100"),
    ("a code", "*21#", None, False, "*21#"),
    ("a long internal number", "1000001", None, False, "1***"),
    ("an unreadable number", "+999999999999", None, False, "+99999***99"),
    ("withheld", "anonymous", None, True, "anonymous"),
    ("restricted", "restricted", None, True, "anonymous"),
    ("unavailable", "Unavailable", None, True, "anonymous"),
    ("nothing", "", None, True, "anonymous"),
    ("blanks", "  ", None, True, "anonymous"),
    ("junk", "a\x00b\r\n;&<sip:x@y>", None, True, "anonymous"),
    ("a surrogate", "\ud800", None, True, "anonymous"),
]


@pytest.mark.parametrize(
    ("raw", "e164", "anonymous", "shown"), [row[1:] for row in CALLERS], ids=[row[0] for row in CALLERS]
)
def test_any_caller_is_read(raw: str, e164: str | None, anonymous: bool, shown: str) -> None:
    caller = CallerId.read(raw, "Kari\r\n", "NO")
    assert (caller.number and caller.number.e164, caller.anonymous, caller.masked) == (
        e164,
        anonymous,
        shown,
    )
    assert caller.name == "Kari"


def test_what_a_caller_sends_is_cut() -> None:
    assert len(CallerId.read("9" * 5000, "", "NO").raw) == 80


PATTERNS = [
    ("one number", "+47 22 33 44 55", None, "+4722334455", ["+4722334455"], ["+4722334456"]),
    ("national", "22 33 44 55", "NO", "+4722334455", ["+4722334455"], []),
    ("x", "+47 22 33 44 6x", None, "+472233446x", ["+4722334460", "+4722334469"], ["+4722334459"]),
    ("X", "+47 22 33 44 6X", None, "+472233446x", ["+4722334460"], []),
    ("x in the middle", "+47 22 3x 44 55", None, "+47223x4455", ["+4722394455"], ["+4722394456"]),
    ("rest", "+47 22*", None, "+4722*", ["+4722334455"], ["+4723334455"]),
    ("x and rest", "+47 2x*", None, "+472x*", ["+4722334455"], ["+4790000001"]),
    ("all", "+*", None, "+*", ["+4722334455", "+14165550123"], []),
    ("national with x", "22 33 44 6x", "NO", "+472233446x", ["+4722334460"], []),
    ("national with trunk prefix", "020 7946 00xx", "GB", "+4420794600xx", ["+442079460012"], []),
    ("calling code shared", "(416) 555 01xx", "CA", "+141655501xx", ["+14165550123"], []),
]


@pytest.mark.parametrize(
    ("text", "country", "e164", "matching", "other"),
    [row[1:] for row in PATTERNS],
    ids=[row[0] for row in PATTERNS],
)
def test_a_pattern_matches(
    text: str, country: str | None, e164: str, matching: list[str], other: list[str]
) -> None:
    pattern = NumberPattern.parse(text, country)
    assert pattern.text == e164
    assert pattern.is_one_number == ("x" not in e164 and "*" not in e164)
    assert [number for number in matching + other if pattern.matches(PhoneNumber(number))] == matching


HOW = "is not a number or a pattern; write +4722334455, +472233446x (x is one digit) or +4722*"
BAD_PATTERNS = [
    ("nothing", "", "NO", f"`` {HOW}"),
    ("only a star", "*", "NO", f"`*` {HOW}"),
    ("star inside", "+47*22", "NO", f"`+47*22` {HOW}"),
    ("letters", "sales", "NO", f"`sales` {HOW}"),
    ("wildcard without a country", "22 33 44 6x", None, "`22 33 44 6x` has no calling code; write it with +"),
    ("too short", "+47 22 33 4x", "NO", "`+4722334x` has 6 digits after +47; numbers there have 5 or 8"),
    (
        "too long",
        "+47 2233445566778899*",
        "NO",
        "`+47 2233445566778899*` has more than 15 digits; no number is that long",
    ),
    (
        "x in the calling code",
        "+9x22334455",
        "NO",
        "`+9x22334455` does not begin with a calling code; write it as in +4722334455",
    ),
]


@pytest.mark.parametrize(
    ("text", "country", "what"), [row[1:] for row in BAD_PATTERNS], ids=[row[0] for row in BAD_PATTERNS]
)
def test_what_is_no_pattern_says_why(text: str, country: str | None, what: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the text is compared whole
        NumberPattern.parse(text, country)
    assert str(refused.value) == what


def patterns(*texts: str) -> list[tuple[NumberPattern, str]]:
    return [(NumberPattern.parse(text), text) for text in texts]


@pytest.mark.parametrize(
    ("number", "found"),
    [
        ("+4722334455", "+4722334455"),
        ("+4722334456", "+472233445x"),
        ("+4722334466", "+47223344xx"),
        ("+4722000000", "+4722*"),
        ("+4791234567", "+47x1234567"),
        ("+4791234568", "+47x1234568"),
        ("+4790000001", None),
    ],
)
def test_the_most_specific_pattern_is_found(number: str, found: str | None) -> None:
    index = NumberIndex(
        patterns("+4722*", "+47223344xx", "+472233445x", "+4722334455", "+47x1234567", "+47x1234568")
    )
    assert index.find(PhoneNumber(number)) == found


def test_of_equal_patterns_the_first_is_found() -> None:
    index = NumberIndex([(NumberPattern.parse("+4722*"), 1), (NumberPattern.parse("+47 22*"), 2)])
    assert (index.find(PhoneNumber("+4722334455")), len(index)) == (1, 1)


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("+4722334455", "+4722334455", True),
        ("+4722334455", "+4722334456", False),
        ("+472233445x", "+4722334455", True),
        ("+4722*", "+4722334455", True),
        ("+4723*", "+4722334455", False),
        ("+47223344xx", "+472233445x", True),
        ("+47223x4455", "+4722334x55", True),
        ("+4702800", "+4702800x*", False),
        ("+47*", "+472*", True),
    ],
)
def test_patterns_overlap(one: str, other: str, overlap: bool) -> None:
    first, second = NumberPattern.parse(one), NumberPattern.parse(other)
    assert first.overlaps(second) is second.overlaps(first) is overlap
    rows = [(first, 1), (second, 2)]
    assert bool([*conflicts(rows, lambda owner: (owner, None))]) is overlap


def test_each_pattern_conflicts_once_at_most() -> None:
    rows = [(NumberPattern.parse("+4722334455"), owner) for owner in (1, 1, 2, 3)]
    assert [*conflicts(rows, lambda owner: (owner, None))] == [(1, 2), (1, 3)]


def test_a_caller_sent_in_e164_without_plus_is_read() -> None:
    assert CallerId.read("46701234567", "", "NO").number == PhoneNumber("+46701234567")


EXAMPLES = [
    ("one number", "+4722334455", ["+4722334455"]),
    ("one digit open", "+472233446x", [f"+472233446{digit}" for digit in range(10)]),
    ("any rest, as long as numbers there are", "+4722*", [f"+4722{str(digit) * 6}" for digit in range(10)]),
    ("where no number can be", "+999*", []),
    ("any rest of a whole number", "+4722334455*", ["+4722334455"] * 10),
]


@pytest.mark.parametrize(("text", "numbers"), [row[1:] for row in EXAMPLES], ids=[row[0] for row in EXAMPLES])
def test_numbers_that_a_pattern_matches(text: str, numbers: list[str]) -> None:
    pattern = NumberPattern.parse(text)
    assert [number.e164 for number in pattern.examples()] == numbers
    assert all(map(pattern.matches, pattern.examples()))


def test_the_rows_of_an_index_are_its_patterns_once() -> None:
    texts = ("+4722*", "+4722334455", "+472233446x", "+4722*")
    index = NumberIndex((NumberPattern.parse(text), at) for at, text in enumerate(texts))
    assert {(pattern.text, at) for pattern, at in index.rows()} == {
        ("+4722334455", 1),
        ("+4722*", 0),
        ("+472233446x", 2),
    }
