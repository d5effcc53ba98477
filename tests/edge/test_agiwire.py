"""AGI's words and ours."""

from collections.abc import Mapping

import pytest

from router.core.arrival import Arriving
from router.edge.agiwire import MalformedError, read_answer, read_request, setting
from tests.edge.agi_client import PLAIN, request

CALLS: list[tuple[str, Mapping[str, str], str, Arriving]] = [
    ("as it comes", {}, "", Arriving("+4722334455", "+4790000009")),
    ("a number as an argument", {"agi_arg_1": "22334455"}, "", Arriving("22334455", "+4790000009")),
    ("an empty argument", {"agi_arg_1": ""}, "", Arriving("+4722334455", "+4790000009")),
    ("a name", {"agi_calleridname": "Bjørg Åse"}, "", Arriving("+4722334455", "+4790000009", "Bjørg Åse")),
    ("nobody's number", {"agi_callerid": "unknown"}, "", Arriving("+4722334455", "")),
    ("a number that is withheld", {"agi_callingpres": "35"}, "", Arriving("+4722334455", "")),
    ("one that was not screened", {"agi_callingpres": "3"}, "", Arriving("+4722334455", "+4790000009")),
    ("one that is not there", {"agi_callingpres": "67"}, "", Arriving("+4722334455", "+4790000009")),
    ("written with brackets", {"agi_callerid": "(900) 00-009"}, "", Arriving("+4722334455", "90000009")),
    ("no number", {"agi_callerid": "kari9"}, "", Arriving("+4722334455", "")),
    (
        "what the dialplan knows",
        {},
        "attestation=A, branch=oslo,branch=evil,nonsense",
        Arriving("+4722334455", "+4790000009", "", {"attestation": "A", "branch": "oslo"}),
    ),
]


@pytest.mark.parametrize(
    ("changes", "variables", "call"), [row[1:] for row in CALLS], ids=[row[0] for row in CALLS]
)
def test_the_call_that_is_asked_about(changes: Mapping[str, str], variables: str, call: Arriving) -> None:
    asked = read_request(lines({**PLAIN, **changes}))
    assert asked.arriving(variables) == call
    assert (asked.script, asked.channel) == ("route", "1795806340.0")


def lines(values: Mapping[str, str]) -> list[str]:
    return request(values).decode().removesuffix("\n\n").split("\n")


def test_a_channel_is_named_by_what_a_database_takes() -> None:
    asked = read_request(lines({**PLAIN, "agi_uniqueid": "1.0\x00\x1b[2J" + "9" * 200}))
    assert asked.channel == "1.0[2J" + "9" * 74


def test_what_is_asked_of_a_script_is_not_looked_at() -> None:
    assert read_request(lines({**PLAIN, "agi_network_script": "route?x=y"})).script == "route"


EVIL = [
    ("a line of the caller's own", {"agi_callerid": "1\nagi_extension: 999"}, "agi_extension comes twice"),
    ("an end of the caller's own", {"agi_callerid": "1\n\nagi_extension: 999"}, "no variable"),
    ("a line that is none", {"agi_callerid": "1\nGET / HTTP/1.1"}, "no variable"),
    ("a line that ends otherwise", {"agi_callerid": "1\r\nx"}, "no variable"),
    ("a name of other letters", {"agi_Ünique": "1"}, "no variable"),
]


@pytest.mark.parametrize(("changes", "why"), [row[1:] for row in EVIL], ids=[row[0] for row in EVIL])
def test_what_asterisk_does_not_send(changes: Mapping[str, str], why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        read_request(lines({**PLAIN, **changes}))


@pytest.mark.parametrize("name", ["agi_network_script", "agi_threadid"])
def test_what_asterisk_always_sends(name: str) -> None:
    with pytest.raises(MalformedError, match="missing"):
        read_request(lines({one: value for one, value in PLAIN.items() if one != name}))


ANSWERS = [
    ("what was asked", "200 result=1 (w0rd a=b)", "a=b"),
    ("nothing", "200 result=1 (w0rd )", ""),
    ("a bracket in it", "200 result=1 (w0rd a=(b))", "a=(b)"),
    ("another word", "200 result=1 (word a=b)", None),
    ("no bracket", "200 result=1 (w0rd a=b", None),
    ("a line of the caller's", "agi_extension: 999", None),
    ("an error", "510 Invalid or unknown command", None),
]


@pytest.mark.parametrize(("reply", "text"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_the_reply_to_the_first_command(reply: str, text: str | None) -> None:
    if text is None:
        with pytest.raises(MalformedError, match="none to our first"):
            read_answer(reply, "w0rd")
    else:
        assert read_answer(reply, "w0rd") == text


VALUES = [
    ("plain", "PJSIP/100&PJSIP/101", '"PJSIP/100&PJSIP/101"'),
    ("empty", "", '""'),
    ("quotes and backslashes", 'a "b" \\c', r'"a \"b\" \\c"'),
    ("a line break begins no command", 'a\nEXEC Dial "x"\r', r'"aEXEC Dial \"x\""'),
    ("other letters", "Gåte 1", '"Gåte 1"'),
]


@pytest.mark.parametrize(("value", "written"), [row[1:] for row in VALUES], ids=[row[0] for row in VALUES])
def test_a_value_is_one_word(value: str, written: str) -> None:
    assert setting("CALLROUTER_ROUTE", value) == f"SET VARIABLE CALLROUTER_ROUTE {written}\n"


def test_an_argument_that_a_caller_has_slipped_in_is_refused() -> None:
    lines = [f"{name}: {value}" for name, value in PLAIN.items() if name != "agi_threadid"]
    with pytest.raises(MalformedError, match="agi_arg_1 comes where it cannot"):
        read_request([*lines, "agi_arg_1: +4722000505", f"agi_threadid: {PLAIN['agi_threadid']}"])
    with pytest.raises(MalformedError, match="agi_callerid2 comes where it cannot"):
        read_request([*lines, "agi_threadid: 1", "agi_callerid2: 1"])
