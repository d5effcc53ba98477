"""Many regular expressions together find what each finds by itself, whatever a caller sends."""

from contextlib import suppress
from typing import Literal

import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.numbers import CallerId
from router.core.regexes import Regex, RegexIndex

_PIECES = [
    "a",
    "free",
    "Kari",
    "\\+47",
    "[0-9]{6}",
    ".*",
    ".{20}",
    "(?i)",
    "^",
    "$",
    "\\b",
    "\\pL",
    "|",
    "x?",
    "[^a]+",
]
_kinds: st.SearchStrategy[Literal["regex", "display"]] = st.sampled_from(["regex", "display"])
_texts = st.lists(st.sampled_from(_PIECES), min_size=1, max_size=6).map("".join)
_callers = st.builds(
    CallerId.read,
    st.sampled_from(["", "17", "+4781549001", "+4790000009", "+46701234567"]),
    st.text(max_size=90) | st.text("aeffkor F0", max_size=80) | st.just("a free offer of Kari"),
    st.none(),
)


def parsed(of: Literal["regex", "display"], text: str) -> list[Regex]:
    with suppress(ValueError):
        return [Regex.parse(of, text)]
    return []


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(_kinds, _texts), min_size=1, max_size=30), st.lists(_callers, max_size=5))
def test_all_that_match_are_found(
    written: list[tuple[Literal["regex", "display"], str]], callers: list[CallerId]
) -> None:
    regexes = [regex for of, text in written for regex in parsed(of, text)]
    index = RegexIndex(regexes)
    for caller in callers:
        texts = {"regex": caller.number.e164 if caller.number else "", "display": caller.name}
        alone = {one for one in regexes if texts[one.of] and re2.search(one.text, texts[one.of])}
        found = index.matching(caller)
        assert set(found) == alone
        assert len(found) == len(alone)


@settings(max_examples=200, deadline=None)
@given(_kinds, _texts)
def test_an_example_is_one(of: Literal["regex", "display"], text: str) -> None:
    for regex in parsed(of, text):
        example = regex.example()
        if example is not None:
            number, name = (example, "") if of == "regex" else ("", example)
            assert RegexIndex([regex]).matching(CallerId.read(number, name, None)) == (regex,)
