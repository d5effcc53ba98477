"""shared.yaml: lists that clients name, and defaults for what they leave out."""

from datetime import UTC, datetime

import pytest

from router.core.decide import Decision, decide
from router.core.dialling import Dialling
from router.core.facts import Facts
from router.core.numbers import CallerId, PhoneNumber
from router.core.remarks import MOST_TOLD, RuleErrors
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.shared import read_shared

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DIALLING = Dialling("PJSIP/{number}@trunk")
TABLES = {"lists/ads.csv": "number\n+47 81 50 00 00\n", "feed.txt": "22 44 55 66\n"}
BARE = "client: fjord\nname: F\nnumbers: '+4722334455'\n"
HEAD = BARE + "timezone: Europe/Oslo\ncountry: NO\n"
"""Five lines; a case's own text begins on line 6."""


def load(shared: str, client: str, tables: dict[str, str] | None = None) -> RuleSet | RuleErrors:
    files = {"rules/fjord.yaml": client, "rules/shared.yaml": shared}
    return compile_rules(files, DIALLING, TABLES if tables is None else tables)


def compiled(shared: str, client: str) -> RuleSet:
    rules = load(shared, client)
    assert isinstance(rules, RuleSet), rules
    return rules


def errors(shared: str, client: str) -> list[str]:
    rules = load(shared, client)
    assert isinstance(rules, RuleErrors)
    return [str(error) for error in rules.errors]


ADS, FEED, PLAIN = "+4781500000", "+4722445566", "+4722000001"
LISTS = "lists: {ads: {numbers: ['+47 22 00 00 0x', {file: lists/ads.csv}]}, feed: {file: feed.txt}}"
SCREENED = [
    ("a file", "block: [{name: b, numbers: {file: lists/ads.csv}}]", {ADS: "b", FEED: None, PLAIN: None}),
    (
        "a file among patterns",
        "block: [{name: b, numbers: ['+4722000001', {file: feed.txt}]}]",
        {ADS: None, FEED: "b", PLAIN: "b"},
    ),
    ("a list", "block: [{name: b, numbers: {list: ads}}]", {ADS: "b", FEED: None, PLAIN: "b"}),
    ("a list of a file", "block: [{name: b, numbers: [{list: feed}]}]", {ADS: None, FEED: "b"}),
    (
        "allowed by a list",
        "allow: [{list: feed}, {file: lists/ads.csv}]\n  block: [{name: b, numbers: '+47*'}]",
        {ADS: None, FEED: None, PLAIN: "b"},
    ),
]


def decided(rules: RuleSet, caller: str) -> Decision:
    did = PhoneNumber("+4722334455")
    return decide(rules, Facts(NOW, did.e164, did, CallerId.read(caller, "", "NO")))


@pytest.mark.parametrize(
    ("screening", "blocked"), [row[1:] for row in SCREENED], ids=[row[0] for row in SCREENED]
)
def test_callers_are_screened_by_lists(screening: str, blocked: dict[str, str | None]) -> None:
    rules = compiled(LISTS, HEAD + "screening:\n  " + screening)
    assert {caller: decided(rules, caller).plan.blocked_by for caller in blocked} == blocked


def test_a_list_is_one_thing_for_all_who_use_it() -> None:
    shared = read_shared({"shared.yaml": LISTS}, TABLES, DIALLING)
    entries = shared.named["ads"].files
    first, second = (shared.listed(entries, "NO").numbers for _ in range(2))
    assert [one is other for one, other in zip(first, second, strict=True)] == [True]
    assert first[0].find(PhoneNumber(ADS)) == ADS


def test_odd_rows_are_warnings_of_the_rules_told_once() -> None:
    tables = {"feed.txt": "spam\n+4722445566\n"}
    blocks = "screening: {block: [{name: a, numbers: {file: feed.txt}}, {name: b, numbers: {list: feed}}]}"
    rules = load("lists: {feed: {file: feed.txt}}", HEAD + blocks, tables)
    assert isinstance(rules, RuleSet)
    (warning,) = rules.warnings
    assert str(warning).startswith("rules/feed.txt:1:1: `spam` is not a number or a pattern; ")


ALL = """
defaults:
  timezone: Asia/Tokyo
  country: NO
  language: nb
  tone: informal
  screening: {treatment: busy}
  last_resort: [{say: {file: bye}}]
"""
BLOCK = "screening: {block: [{name: b, numbers: 22445566}]}\n"


def test_defaults_hold_where_a_client_says_nothing() -> None:
    rules = compiled(ALL, BARE + BLOCK)
    client = rules.clients["fjord"]
    assert (client.timezone, client.country) == ("Asia/Tokyo", "NO")
    (node,) = client.no_route.plan.nodes
    assert node.place == "rules/shared.yaml:8"
    (refusal,) = decided(rules, FEED).plan.nodes
    assert (refusal.step.treatment, refusal.place) == ("busy", "rules/shared.yaml:7")  # type: ignore[union-attr]


def test_what_a_client_says_itself_wins() -> None:
    own = BLOCK.replace("block:", "treatment: decline, block:") + "last_resort: hangup"
    rules = compiled(ALL, HEAD + own)
    client = rules.clients["fjord"]
    assert client.timezone == "Europe/Oslo"
    assert [node.place for node in client.no_route.plan.nodes] == ["rules/fjord.yaml:7"]
    (refusal,) = decided(rules, FEED).plan.nodes
    assert refusal.step.treatment == "decline"  # type: ignore[union-attr]


SHARED, CLIENT = "rules/shared.yaml", "rules/fjord.yaml"
WRONG = [
    (
        "an unknown key",
        "tag: {}",
        HEAD,
        [f"{SHARED}:1:1: `tag` is not a key that can stand here; remove it"],
    ),
    (
        "a list for a mapping",
        "- x",
        HEAD,
        [f"{SHARED}:1:1: a mapping is needed here; write `key: value` lines"],
    ),
    (
        "a key twice",
        "lists: {}\nlists: {}",
        HEAD,
        [f"{SHARED}:2:1: `lists` is here twice, first on line 1; "],
    ),
    (
        "a wrong default, told once",
        "defaults: {timezone: Oslo, country: NO}",
        BARE,
        [f"{SHARED}:1:22: `Oslo` is not a time zone; write Europe/Oslo"],
    ),
    (
        "a wrong key in a default, told once",
        "defaults: {last_resort: [{ring: PJSIP/1, on: {engaged: []}}]}",
        HEAD,
        [f"{SHARED}:1:47: `engaged` cannot stand here; write "],
    ),
    (
        "a default that may not be one",
        "defaults: {name: F}",
        HEAD,
        [f"{SHARED}:1:12: `name` is not a key that can stand here; remove it"],
    ),
    (
        "people in the default last resort",
        "defaults: {last_resort: [{ring: kari}]}",
        HEAD + "people: {kari: {rings: PJSIP/1}}",
        [f"{SHARED}:1:33: nobody here is `kari`; name here only what is no client's own, such as PJSIP/100"],
    ),
    (
        "what follow-ups of all clients cannot name",
        """\
defaults:
  follow_ups:
    - name: missed
      when: {open: office, queue: rec, tag: vipp}
      do: {call_back: {owner: kari, by: office}}
  last_resort: [{goto: main}]
""",
        HEAD + "people: {kari: {rings: PJSIP/1}}\nhours: {office: {week: {mon: '08:00-16:00'}}}",
        [
            f"{SHARED}:4:20: no hours are called `office`; hours are each client's own, so write ",
            f"{SHARED}:4:35: no queue is called `rec`; queues are each client's own, so write ",
            f"{SHARED}:4:45: no tag is called `vipp`; add it under `tags:` here, or write what goes by ",
            f"{SHARED}:5:31: nobody here is `kari`; people are each client's own, so leave them out, or ",
            f"{SHARED}:5:41: no hours are called `office`; hours are each client's own, so write ",
            f"{SHARED}:6:24: no route is called `main`; routes are each client's own, so leave them out, or ",
        ],
    ),
    (
        "a number without a country",
        "defaults: {last_resort: [{ring: '+4790000001'}]}",
        HEAD,
        [f"{SHARED}:1:33: `+4790000001` is not among the allowed destinations (of no country yet); "],
    ),
    (
        "a screening that is none",
        "defaults: {screening: busy}",
        HEAD,
        [f"{SHARED}:1:23: a mapping is needed here; write `key: value` lines"],
    ),
    (
        "a client's screening that is none",
        ALL,
        BARE + "screening: busy",
        [f"{CLIENT}:4:12: a mapping is needed here; write `key: value` lines"],
    ),
    (
        "lists that are none",
        "lists: [x]",
        HEAD,
        [f"{SHARED}:1:8: a mapping is needed here; write `key: value` lines"],
    ),
    (
        "a list of text",
        "lists: {ads: feed.txt}",
        HEAD,
        [f"{SHARED}:1:14: a mapping is needed here; write `key: value` lines"],
    ),
    (
        "a national number without a country",
        "lists: {ads: {numbers: 22334455}}",
        HEAD,
        [f"{SHARED}:1:24: `22334455` has no calling code; write it with +"],
    ),
    (
        "a list that names a list",
        "lists: {ads: {numbers: [{list: feed}]}}",
        HEAD + "screening: {allow: {list: ads}}",
        [
            f"{SHARED}:1:25: `file` is missing; add `file: ...`",
            f"{SHARED}:1:26: `list` is not a key that can stand here; ",
        ],
    ),
    (
        "a list of a file that is not there",
        "lists: {ads: {file: fed.txt}}",
        HEAD,
        [f"{SHARED}:1:21: there is no `fed.txt` in the rules' folder; did you mean `feed.txt`?"],
    ),
    (
        "votes that are none",
        "lists: {ads: {file: feed.txt, min_votes: many}}",
        HEAD,
        [f"{SHARED}:1:42: `many` is not a number of votes; write digits, as in min_votes: 10"],
    ),
    (
        "an unknown list",
        LISTS,
        HEAD + "screening: {allow: [{list: fed}]}",
        [f"{CLIENT}:6:28: no list is called `fed`; did you mean `feed`?"],
    ),
    (
        "no lists at all",
        "",
        HEAD + "screening: {block: [{name: b, numbers: {list: feed}}]}",
        [f"{CLIENT}:6:47: no list is called `feed`; add it to shared.yaml under `lists:`"],
    ),
    (
        "a file that leads out",
        "",
        HEAD + "screening: {block: [{name: b, numbers: [{file: ../feed.txt}]}]}",
        [
            f"{CLIENT}:6:48: `../feed.txt` leads out of the rules' folder; write it as seen from there, as "
            "in lists/feed.csv"
        ],
    ),
    (
        "nothing known of what is shared",
        "defaults: {timezone: Europe/Oslo, country: NO",
        BARE,
        [
            f"{SHARED}:1:11: this is not YAML: a `{{` is not closed, or a comma is missing, up to line 2; "
            "write `}` at its end, and `,` between entries"
        ],
    ),
]


@pytest.mark.parametrize(
    ("shared", "client", "expected"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_what_is_wrong_is_said_at_its_place(shared: str, client: str, expected: list[str]) -> None:
    found = errors(shared, client)
    assert len(found) == len(expected), found
    for line, beginning in zip(found, expected, strict=True):
        assert line == beginning or (beginning[-1] == " " and line.startswith(beginning))


def test_what_is_shared_has_too_many_errors_to_look_further() -> None:
    steps = ", ".join(["rin"] * (MOST_TOLD + 1))
    found = errors(f"defaults: {{last_resort: [{steps}]}}", BARE)
    assert {line.partition(":")[0] for line in found} == {SHARED}
    assert len(found) == MOST_TOLD + 1


def test_a_table_is_taken_once() -> None:
    class Counted(dict[str, str]):
        taken = 0

        def __getitem__(self, name: str) -> str:
            self.taken += 1
            return super().__getitem__(name)

    tables = Counted({"people.csv": "id,rings\nola,PJSIP/2\n"})
    files = {
        f"{name}.yaml": HEAD.replace("fjord", name).replace("4455", number) + "people_from: people.csv\n"
        for name, number in (("a", "4455"), ("b", "4466"))
    }
    assert isinstance(compile_rules(files, DIALLING, tables), RuleSet)
    assert tables.taken == 1


def test_empty_defaults_are_none() -> None:
    assert compiled("defaults: {language: }", HEAD).clients["fjord"].timezone == "Europe/Oslo"


VERSIONS = [
    ("a table that a rule names", "screening: {allow: {file: feed.txt}}", 2),
    ("one that none does", "", 1),
]


@pytest.mark.parametrize(
    ("rule", "different"), [row[1:] for row in VERSIONS], ids=[row[0] for row in VERSIONS]
)
def test_the_version_follows_the_tables_in_use(rule: str, different: int) -> None:
    versions = set()
    for text in ("+4722445566\n", "+4722445567\n"):
        rules = load("", HEAD + rule, {"feed.txt": text})
        assert isinstance(rules, RuleSet)
        versions.add(rules.version)
    assert len(versions) == different


def test_only_numbers_with_enough_votes_are_listed() -> None:
    tables = {"feed.csv": "phone,votes\n+4790000001,12\n+4790000002,3\n"}
    files = {
        SHARED: "lists: {ads: {file: feed.csv, min_votes: 10}}",
        CLIENT: HEAD + "screening: {allow: [{list: ads}]}",
    }
    found = compile_rules(files, Dialling(), tables)
    assert isinstance(found, RuleSet), found
    [client] = found.clients.values()
    assert [text for index in client.screening.allow.numbers for _, text in index.rows()] == ["+4790000001"]
