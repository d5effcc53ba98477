"""Whatever text a table is, reading it ends in rules or in remarks at their place, never in a traceback."""

from hypothesis import given, settings
from hypothesis import strategies as st

from router.core.dialling import Dialling
from router.core.remarks import Remark, RuleErrors
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.tables import records

RULES = """\
client: fjord
name: F
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
hours: {office: {week: {mon: 08:00-16:00}}}
"""
LIST = RULES + "screening: {block: [{name: b, numbers: {file: %s, min_votes: %d}}]}\n"
PEOPLE = RULES + "people_from: t.csv\npeople: {ola: {rings: PJSIP/1, extension: 1}}\n"
PIECES = st.one_of(
    st.sampled_from([",", ";", "\t", "\n", "\r\n", "\r", '"', '""', "#", " ", "\ufeff"]),
    st.sampled_from(["\x00", "\ud800", "\u2028", "\x0b"]),
    st.sampled_from(["+4790000001", "22334455", "+47*", "+472233xx", "*", "x", "+", "9" * 300, "PJSIP/1"]),
    st.sampled_from(["id", "name", "extension", "numbers", "rings", "hours", "office", "kari", "ola", "do"]),
    st.sampled_from(["number", "phone", "votes", "caller", "12", "{", "}", "[", "]", ":", '"phone"']),
    st.text(max_size=6),
)
TEXTS = st.lists(PIECES, max_size=40).map("".join)
TABLES = st.one_of(
    TEXTS,
    TEXTS.map(lambda text: f"id,name,extension,numbers,rings,hours\n{text}"),
    TEXTS.map(lambda text: f"phone;votes\n{text}"),
    TEXTS.map(lambda text: '{"numbers": [{"phone": "+4790000001"}, ' + text + "]}"),
)


def loads(rules: str, name: str, table: str) -> None:
    outcome = compile_rules({"rules/f.yaml": rules}, Dialling("PJSIP/{number}@trunk"), {name: table})
    lines = table.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    remarks: list[Remark]
    match outcome:
        case RuleErrors():
            assert outcome.errors
            remarks = [*outcome.errors]
        case RuleSet():
            assert list(outcome.clients) == ["fjord"]
            remarks = [*outcome.warnings]
    for remark in remarks:
        assert remark.file in ("rules/f.yaml", f"rules/{name}")
        assert remark.file == "rules/f.yaml" or 0 <= remark.line <= lines
        assert remark.what


@settings(max_examples=300, deadline=None)
@given(TABLES, st.sampled_from(["t.csv", "t.txt", "t.json"]), st.integers(0, 12))
def test_any_list_loads_or_says_why(table: str, name: str, votes: int) -> None:
    loads(LIST % (name, votes), name, table)


@settings(max_examples=400, deadline=None)
@given(TABLES)
def test_any_people_load_or_it_says_why(table: str) -> None:
    loads(PEOPLE, "t.csv", table)


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_records_come_in_the_order_of_their_lines(text: str) -> None:
    lines = [record.line for record in records(text)]
    assert lines == sorted(set(lines))
