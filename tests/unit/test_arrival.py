"""From what the caller's side sent to facts."""

from datetime import datetime

import pytest

from router.core.arrival import Arriving, Known, call_id, make_info, read_did, read_facts
from router.core.contacts import Contact
from router.core.decide import decide
from router.core.dialling import Dialling
from router.core.numbers import PhoneNumber
from router.core.rules import compile_rules
from router.core.ruleset import ClientRules, RuleSet
from tests.edge.stories import TEN

HEAD = "timezone: Europe/Oslo\nlast_resort: hangup\nroutes: [{name: main, do: hangup}]\n"
FJORD = f'client: fjord\nname: Fjord\nnumbers: ["+4722334455", "+47815493xx"]\ncountry: NO\n{HEAD}'
SUND = f'client: sund\nname: Sund\nnumbers: ["+4533445566"]\ncountry: DK\n{HEAD}'
KEY = ("asterisk-1", "2026-11-20T08:00:00.000+0000", "1795341600.7")


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    compiled = compile_rules({"fjord.yaml": FJORD, "sund.yaml": SUND}, Dialling())
    assert isinstance(compiled, RuleSet), compiled
    return compiled


FORMS = [
    ("E.164", "+4722334455", "+4722334455"),
    ("with 00", "004722334455", "+4722334455"),
    ("without a sign", "4722334455", "+4722334455"),
    ("national", "22334455", "+4722334455"),
    ("in a span of numbers", "81549312", "+4781549312"),
    ("national, of the other country", "33445566", "+4533445566"),
    ("the other country's E.164", "+4533445566", "+4533445566"),
    ("nobody's", "+4722334456", None),
    ("nobody's, national", "22334456", None),
    ("no number", "s", None),
    ("nothing", "", None),
    ("only a sign", "+", None),
    ("only zeros", "00", None),
    ("far too long", "4" * 60, None),
    ("other digits", "٢٢٣٣٤٤٥٥", None),
    ("a dial string", "PJSIP/100", None),
]


@pytest.mark.parametrize(("dialled", "number"), [row[1:] for row in FORMS], ids=[row[0] for row in FORMS])
def test_the_dialled_number_in_all_forms(rules: RuleSet, dialled: str, number: str | None) -> None:
    did = read_did(dialled, rules)
    assert (did.e164 if did else None) == number


def test_a_number_that_two_countries_could_have_is_the_same_one_always() -> None:
    both = {"b.yaml": FJORD, "a.yaml": SUND.replace("+4533445566", "+4522334455")}
    compiled = compile_rules(both, Dialling())
    assert isinstance(compiled, RuleSet), compiled
    assert compiled.countries == ("DK", "NO")
    assert read_did("22334455", compiled) == PhoneNumber("+4522334455")


WRITTEN = [
    ("with its country", "+4581549000", None, "+4581549000"),
    ("in the client's country", "20 12 34 56", "sund", "+4520123456"),
    ("in another client's", "90 00 00 01", "fjord", "+4790000001"),
    ("in one of several", "90 00 00 01", None, None),
]


@pytest.mark.parametrize(
    ("text", "client", "number"), [row[1:] for row in WRITTEN], ids=[row[0] for row in WRITTEN]
)
def test_a_number_as_people_write_it(
    rules: RuleSet, text: str, client: str | None, number: str | None
) -> None:
    if number is None:
        with pytest.raises(ValueError, match=r"\+"):
            rules.read_number(text, client)
    else:
        assert rules.read_number(text, client) == PhoneNumber(number)


def test_a_number_in_the_country_that_all_have_in_common() -> None:
    alone = compile_rules({"a.yaml": FJORD}, Dialling())
    assert isinstance(alone, RuleSet), alone
    assert alone.read_number("90 00 00 01", None) == PhoneNumber("+4790000001")


def test_what_was_dialled_is_shown_without_what_a_terminal_obeys(rules: RuleSet) -> None:
    seen = Arriving("22\x1b[2J\u202e\n33" + "4" * 90, "")
    assert read_facts(seen, rules, TEN).dialled == "22[2J33" + "4" * 73


CALLERS = [
    ("E.164", "+4790000001", "22334455", "+4790000001"),
    ("in the country of the one dialled", "90000001", "22334455", "+4790000001"),
    ("in the other country", "20123456", "+4533445566", "+4520123456"),
    ("anonymous", "", "22334455", ""),
    ("no number", "kari", "22334455", "kari"),
    ("to nobody", "+4790000001", "+4755555555", "+4790000001"),
    ("national, to nobody", "90000001", "+4755555555", "90000001"),
]


@pytest.mark.parametrize(
    ("caller", "dialled", "shown"), [row[1:] for row in CALLERS], ids=[row[0] for row in CALLERS]
)
def test_the_caller_and_what_is_known_of_the_call(
    rules: RuleSet, caller: str, dialled: str, shown: str
) -> None:
    facts = read_facts(Arriving(dialled, caller, "K"), rules, TEN)
    info = make_info(KEY, facts, decide(rules, facts))
    assert (info.caller, info.channel, info.arrived_at) == (shown, "1795341600.7", TEN)
    assert info.dialled == (facts.did.e164 if facts.did else dialled)
    assert info.client == {"+4533445566": "sund", "+4755555555": None}.get(dialled, "fjord")
    assert (info.asterisk_id, info.asterisk_started, info.id) == (*KEY[:2], call_id(*KEY))
    assert info.rules_version == rules.version


def test_whom_the_client_knows_the_caller_as(rules: RuleSet) -> None:
    def remembered(client: ClientRules, number: PhoneNumber, now: datetime) -> Known:
        return Known(contact=Contact(f"Kari of {client.id}") if number.e164 == "+4790000001" else None)

    known, stranger = (
        read_facts(Arriving("22334455", caller, "K"), rules, TEN, remember=remembered)
        for caller in ("90000001", "90000002")
    )
    assert (known.contact, stranger.contact) == (Contact("Kari of fjord"), None)
    infos = [make_info(KEY, facts, decide(rules, facts)) for facts in (known, stranger)]
    assert [(info.name, info.display) for info in infos] == [("Kari of fjord", "K"), ("", "K")]


def test_a_call_id_is_that_of_one_key_only() -> None:
    others = [
        ("asterisk-2", KEY[1], KEY[2]),
        (KEY[0], "2026-11-21T08:00:00.000+0000", KEY[2]),
        (KEY[0], KEY[1], "1795341600.8"),
    ]
    assert call_id(*KEY) == call_id(*KEY)
    ids = {call_id(*key) for key in (KEY, *others)}
    assert len(ids) == 4
    assert all(len(found) == 13 and set(found) <= set("abcdefghijklmnopqrstuvwxyz234567") for found in ids)


TIMES = [
    ("the same second", "1795341600.8", "1795341600.7", True),
    ("the same second, behind a system's name", "pbx-1-1795341600.8", "1795341600.7", True),
    ("another second", "1795341601.8", "1795341600.7", False),
    ("an id of somebody's own", "a.7", "b.7", False),
    ("one that only looks like it", "x1795341600.8", "1795341600.7", False),
]


@pytest.mark.parametrize(("one", "other", "alike"), [row[1:] for row in TIMES], ids=[row[0] for row in TIMES])
def test_ids_of_calls_of_one_second_begin_alike(one: str, other: str, alike: bool) -> None:
    first, second = (call_id(*KEY[:2], channel) for channel in (one, other))
    assert (first[:4] == second[:4]) is alike
    assert first[4:] != second[4:]
