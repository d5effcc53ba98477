"""Regular expressions of callers' numbers and names: what is taken, whom they mean, where they are told."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from router.core.arrival import Arriving, read_facts
from router.core.decide import Decision, decide
from router.core.dialling import Dialling
from router.core.explain import explain
from router.core.numbers import CallerId
from router.core.regexes import MOST_CHARACTERS, MOST_TOGETHER, Regex, RegexIndex, too_many
from router.core.remarks import RuleErrors
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.show import tree

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HEAD = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
"""
"""Five lines; a case's own text begins on line 6."""
SHARED = """\
lists:
  spam: {numbers: ["+4681*", {regex: '^\\+4781[0-9]{6}$'}, {display: '(?i)free offer'}]}
"""


def by_name(rows: Sequence[tuple[Any, ...]], *names: str) -> pytest.MarkDecorator:
    """A case for each row, whose first column is its name."""
    return pytest.mark.parametrize(names, [row[1:] for row in rows], ids=[row[0] for row in rows])


def compiled(screening: str) -> RuleSet:
    rules = compile_rules({"fjord.yaml": HEAD + screening, "shared.yaml": SHARED}, Dialling())
    assert isinstance(rules, RuleSet), rules
    return rules


def decided(rules: RuleSet, caller: str, name: str = "") -> Decision:
    return decide(rules, read_facts(Arriving("+4722334455", caller, name), rules, NOW))


NUMBERS = "screening: {block: [{name: b, numbers: {regex: '^\\+4781[0-9]{6}$'}}]}"
ANYWHERE = "screening: {block: [{name: b, numbers: [{regex: '555'}, '+4690000000']}]}"
NAMES = "screening: {block: [{name: b, numbers: [{display: '(?i)free offer'}]}]}"
ALLOWED = "screening: {allow: {display: 'Bank'}, block: [{name: b, numbers: [{regex: '7$'}, '+46*']}]}"
LISTED = "screening: {block: [{name: a, numbers: '+45*'}, {name: b, numbers: {list: spam}}]}"
MEANT = [
    ("a number", NUMBERS, ("+4781549001", ""), "b"),
    ("a longer one", NUMBERS, ("+478154900123", ""), None),
    ("as a national number", NUMBERS, ("81549001", ""), "b"),
    ("as sent without its plus", NUMBERS, ("4781549001", ""), "b"),
    ("one without a number", NUMBERS, ("anonymous", "+4781549001"), None),
    ("an internal number", ANYWHERE, ("5551", ""), None),
    ("anywhere in the number", ANYWHERE, ("+4790555001", ""), "b"),
    ("a pattern beside it", ANYWHERE, ("+4690000000", ""), "b"),
    ("a name", NAMES, ("+4790000009", "Get our FREE offer now"), "b"),
    ("a name without a number", NAMES, ("anonymous", "Free Offer"), "b"),
    ("another name", NAMES, ("+4790000009", "Kari Nordmann"), None),
    ("a name that is no number's", NUMBERS, ("+4790000009", "+4781549001"), None),
    ("without a name", NAMES, ("+4790000009", ""), None),
    ("allowed by the name", ALLOWED, ("+4690000007", "Sparebanken Bank"), None),
    ("not allowed by the name", ALLOWED, ("+4790000007", "Sparing"), "b"),
    ("a list, by number", LISTED, ("+4781549001", ""), "b"),
    ("a list, by name", LISTED, ("+4790000009", "free offer"), "b"),
    ("a list, by a pattern in it", LISTED, ("+4681000000", ""), "b"),
]


@by_name(MEANT, "screening", "caller", "blocked_by")
def test_whom_they_mean(screening: str, caller: tuple[str, str], blocked_by: str | None) -> None:
    assert decided(compiled(screening), *caller).plan.blocked_by == blocked_by


def test_a_hit_names_the_expression() -> None:
    told = explain(decided(compiled(LISTED), "+4781549001"))
    assert told[2] == "fjord.yaml:6: block b: the caller +47815***01 is refused (regex ^\\+4781[0-9]{6}$)"
    told = explain(decided(compiled(ALLOWED), "anonymous", "Bank"))
    assert told[1] == "fjord.yaml:6: allow display Bank: the caller anonymous is not screened"


def test_of_several_that_match_the_first_that_is_written_is_named() -> None:
    rules = compiled("screening: {block: [{name: b, numbers: [{regex: '9$'}, {regex: '^\\+47'}]}]}")
    assert decided(rules, "+4790000009").trace[1].entry == "regex 9$"


def test_they_are_shown() -> None:
    rules = compiled(LISTED)
    words = [entry.words for entry in tree(rules, rules.clients["fjord"]).inside if entry.kind == "block"]
    assert words[1] == ("block b, when caller: display (?i)free offer or regex ^\\+4781[0-9]{6}$ or +4681*")


def test_a_list_is_one_thing_for_all_who_use_it() -> None:
    text = HEAD + LISTED
    other = text.replace("fjord", "sund").replace("22334455", "22334466")
    rules = compile_rules({"a.yaml": text, "b.yaml": other, "shared.yaml": SHARED}, Dialling())
    assert isinstance(rules, RuleSet)
    [one], [another] = (client.screening.regexes for client in rules.clients.values())
    assert one is another


MANY = ", ".join(f"{{display: 'a{number}\\pL{{5}}'}}" for number in range(90))
WRONG = [
    ("ahead", "{regex: '(?=a)b'}", "(invalid perl operator: (?=); RE2 cannot look ahead or behind"),
    ("behind", "{regex: '(?<!a)b'}", "(invalid perl operator: (?<!); RE2 cannot look ahead or behind"),
    ("a back-reference", "{display: '(a)\\1'}", "(invalid escape sequence: \\1); RE2 knows no back-ref"),
    ("not closed", "{regex: '['}", "(missing ]: [); see https://github.com/google/re2/wiki/Syntax"),
    ("a plus sign", "{regex: '+47'}", "(no argument for repetition operator: +); for a plus sign write \\+"),
    ("a plus sign at the beginning", "{regex: '^+47'}", "since all begin with `+`; write ^\\+47"),
    ("a number without its plus", "{regex: '^47'}", "matches no number, since all begin with `+`"),
    ("anything", "{display: '.*'}", "matches a text of no length; write what must be there"),
    ("nothing", "{display: ''}", "the text is empty"),
    ("too long", f"{{display: '{'a' * (MOST_CHARACTERS + 1)}'}}", "longer than 200 characters"),
    ("too much", "{display: '(?:\\pL{9}){9}'}", "(pattern too large - compile failed); write a shorter one"),
    ("two in one", "{regex: '1', display: 'a'}", "`display` is not a key that can stand here"),
    ("not text", "{regex: [1]}", "text is needed here, not a list"),
    ("too many", MANY, "too many regular expressions"),
]  # fmt: skip


@by_name(WRONG, "entry", "told")
def test_what_cannot_be_used_is_told_with_its_place(entry: str, told: str) -> None:
    text = HEAD + f"screening:\n  block:\n  - name: b\n    numbers: [{entry}]\n"
    rules = compile_rules({"f.yaml": text}, Dialling())
    assert isinstance(rules, RuleErrors)
    [error] = rules.errors
    assert told in str(error)
    assert str(error).startswith(("f.yaml:9:", "f.yaml:7:") if "too many" in told else "f.yaml:9:")


def test_a_shared_list_has_no_list_in_it_nor_too_many() -> None:
    for numbers in ("[{list: ads}]", f"[{MANY}]"):
        text = f"lists: {{a: {{numbers: {numbers}}}}}"
        rules = compile_rules({"f.yaml": HEAD, "shared.yaml": text}, Dialling())
        assert isinstance(rules, RuleErrors), numbers


def test_how_many_may_be_written() -> None:
    usual = Regex.parse("regex", "^\\+4781[0-9]{6}$")
    assert not too_many([usual] * 10_000)
    assert too_many([usual] * (MOST_TOGETHER // usual.size + 1))


EXAMPLES: list[tuple[str, Literal["regex", "display"], str, str | None]] = [
    ("a whole number", "regex", "^\\+4781[0-9]{6}$", "+4781000000"),
    ("the beginning of one", "regex", "^\\+47815", "+4781500"),
    ("the end of one", "regex", "7$", None),
    ("a name", "display", "^Free (offer|gift)s?$", "Free gift"),
    ("words", "display", "(?i)\\bfree\\b.*offer", "free offer"),
    ("no words", "display", "\\s{3}[^a]\\d$", None),
    ("none that can be shown", "display", "\\x07", None),
]


@by_name(EXAMPLES, "of", "text", "wanted")
def test_an_example_where_it_is_easy(of: Literal["regex", "display"], text: str, wanted: str | None) -> None:
    assert Regex.parse(of, text).example() == wanted


def test_each_is_looked_for_once() -> None:
    regex = Regex.parse("display", "a")
    assert RegexIndex([regex, regex]).matching(CallerId(None, "", "ba")) == (regex,)
