"""Whatever text the rules are, loading them ends in rules or in errors with places, never in a traceback."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.dialling import Dialling
from router.core.remarks import RuleErrors
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet

RULES = Path(__file__).parents[2] / "rules"
EXAMPLE = (RULES / "fjord.yaml").read_text(encoding="utf-8")
LIST = "lists/telemarketers.csv"
TABLES = {LIST: (RULES / LIST).read_text(encoding="utf-8")}
WORDS = sorted({word for word in EXAMPLE.replace(",", " ").split() if not word.startswith("#")})
PIECES = st.one_of(
    st.sampled_from(
        [*WORDS, "[", "]", "{", "}", ": ", "- ", "\n", "\t", "&a ", "*a", "!!int ", "? ", "|", "'", '"']
    ),
    st.sampled_from(
        ["\x00", "\ud800", "\u2028", "[" * 500, "9" * 5000, "~", "true", "-1", "0x", "..", "*", "x", "+"]
    ),
    st.text(max_size=6),
)
edits = st.lists(st.tuples(st.integers(0, len(EXAMPLE)), st.integers(0, 30), PIECES), min_size=1, max_size=4)


def loads(text: str) -> None:
    outcome = compile_rules(
        {"rules/fjord.yaml": text, "rules/shared.yaml": ""}, Dialling("PJSIP/{number}@trunk"), TABLES
    )
    match outcome:
        case RuleErrors():
            assert outcome.errors
            for error in outcome.errors:
                assert str(error).startswith("rules/fjord.yaml")
                assert 0 <= error.line <= len(text.splitlines()) + 1
        case RuleSet():
            assert "fjord" in EXAMPLE
            assert len(outcome.clients) == 1


@settings(max_examples=300, deadline=None)
@given(edits)
def test_a_changed_example_loads_or_says_why(changes: list[tuple[int, int, str]]) -> None:
    text = EXAMPLE
    for start, length, piece in changes:
        text = text[:start] + piece + text[start + length :]
    loads(text)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_an_example_with_words_exchanged_loads_or_says_why(data: st.DataObject) -> None:
    lines = EXAMPLE.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        old, new = data.draw(st.sampled_from(WORDS)), data.draw(PIECES)
        lines[at] = lines[at].replace(old, new)
    loads("\n".join(lines))


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join))
def test_any_text_loads_or_says_why(text: str) -> None:
    loads(text)
