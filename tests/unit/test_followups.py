"""What is to be done after a call: which follow-ups are due, why, and until when."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from router.core import notices
from router.core.dialling import Dialling
from router.core.followupneeds import not_sent
from router.core.followups import CallBack, Ended, call_back_number, due, is_followed, tags_by_rules
from router.core.plan import Delivery
from router.core.record import CallInfo, CallRecord, Disposition, LeftMessage, Party, Phase
from router.core.remarks import RuleErrors
from router.core.rules import compile_rules
from router.core.ruleset import ClientRules, RuleSet
from router.core.scenarios import play, read_scenarios
from router.core.tags import CallTag, Way

HEAD = """\
client: fjord
name: Fjord
numbers: ["+4722334455", "+4722334466"]
timezone: Europe/Oslo
country: NO
language: nb
people: {kari: {rings: PJSIP/kari, extension: 101}}
queues: {reception: {agents: kari}, sales: {agents: kari}}
hours: {office: {week: {mon-fri: "08:00-16:00"}}, never: {week: {}}}
routes: [{name: main, do: [{queue: reception}, {queue: sales}, {ring: kari}]}]
"""
"""Ten lines; a case's own text begins on line 11."""

HOOK = "https://crm.example/calls"
MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
"""10:30 in Oslo."""

INFO = CallInfo(
    id="aaaaaaaaaaaaa",
    asterisk_id="ast1",
    asterisk_started="2026-11-20T08:00:00.000+0000",
    channel="c",
    dialled="+4722334455",
    caller="+4790000009",
    client="fjord",
    route="main",
    rules_version="r1",
    arrived_at=MONDAY - timedelta(minutes=1),
)
MISSED = CallRecord(INFO, Disposition.NO_ANSWER, Phase.QUEUE, None, MONDAY, queues=("reception",))


def compiled(text: str, shared: str = "", dialling: Dialling | None = None) -> RuleSet:
    files = {"fjord.yaml": HEAD + text} | ({"shared.yaml": shared} if shared else {})
    rules = compile_rules(files, dialling or Dialling("PJSIP/{number}@trunk"))
    assert isinstance(rules, RuleSet), rules
    return rules


def fjord(text: str, shared: str = "") -> ClientRules:
    return compiled(text, shared).clients["fjord"]


def when(condition: str) -> str:
    return f'follow_ups: [{{name: f, when: {condition}, do: {{webhook: "{HOOK}"}}}}]'


def why_due(client: ClientRules, record: CallRecord = MISSED, *tags: str) -> list[tuple[str, str]]:
    ended = Ended(record, tags_by_rules(record) | set(tags), client.hours)
    return [(one.follow_up.name, one.why) for one in due(client.follow_ups.all, ended)]


def by(**changes: Any) -> CallRecord:
    """The missed call, with other facts."""
    info = {key: changes.pop(key) for key in ("caller", "dialled", "route") if key in changes}
    return replace(MISSED, info=replace(INFO, **info), **changes)


EVENING = by(ended_at=MONDAY + timedelta(hours=8))
TAGGED_BY_RULE = by(tags=(CallTag("aaaaaaaaaaaaa", "interested", "main", Way.RULE, MONDAY),))
CASES: list[tuple[str, str, CallRecord, str]] = [
    ("no condition", "{}", MISSED, "every call"),
    ("a disposition", "{disposition: no_answer}", MISSED, "disposition: no_answer"),
    ("one of several", "{disposition: [busy, no_answer]}", MISSED, "disposition: busy or no_answer"),
    ("another disposition", "{disposition: abandoned}", MISSED, ""),
    ("a tag by a rule", "{tag: interested}", TAGGED_BY_RULE, "tag: interested"),
    ("no tag", "{tag: interested}", MISSED, ""),
    ("a queue", "{queue: reception}", MISSED, "queue: reception"),
    ("another queue", "{queue: sales}", MISSED, ""),
    ("the client", "{client: fjord}", MISSED, "client: fjord"),
    ("not this client", "{not: {client: fjord}}", MISSED, ""),
    ("within hours", "{open: office}", MISSED, "open: office"),
    ("outside them", "{open: office}", EVENING, ""),
    ("closed", "{closed: office}", EVENING, "closed: office"),
    ("not closed", "{closed: office}", MISSED, ""),
    ("who called", '{caller: "+4790*"}', MISSED, "caller: +4790*"),
    ("who withholds it", "{caller: anonymous}", by(caller=""), "caller: anonymous"),
    ("a country", "{caller: {country: SE}}", by(caller="+46701234567"), "caller: SE"),
    ("another country", "{caller: {country: SE}}", MISSED, ""),
    ("an internal number", '{caller: "+47*"}', by(caller="100"), ""),
    ("what was called", "{dialled: 22334455}", MISSED, "dialled: +4722334455"),
    ("something else was", "{dialled: 22334466}", MISSED, ""),
    ("what nobody could read", "{dialled: 22334466}", by(dialled="s"), ""),
    ("all of it", "{disposition: no_answer, open: office}", EVENING, ""),
    ("either", "[{disposition: busy}, {queue: reception}]", MISSED, "queue: reception"),
    ("not so", "{not: {queue: sales}}", MISSED, "not: queue: sales"),
    ("nothing but so", "{not: [{queue: sales}, {disposition: no_answer}]}", MISSED, ""),
    ("not without a tag", "{disposition: no_answer, not: {tag: wrong_number}}", MISSED,
     "disposition: no_answer, not: tag: wrong_number"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "record", "why"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_which_follow_ups_are_due_and_why(condition: str, record: CallRecord, why: str) -> None:
    assert why_due(fjord(when(condition)), record) == ([("f", why)] if why else [])


def test_a_tag_of_people_counts_as_one_of_rules() -> None:
    client = fjord(when("{tag: [interested, callback]}"))
    assert why_due(client, MISSED, "callback") == [("f", "tag: interested or callback")]
    assert [one.tags for one in client.follow_ups.all] == [{"interested", "callback"}]


CARRIED = f"""\
tags:
  won: {{do: {{webhook: "{HOOK}", mail: a@b.example}}}}
  do_not_contact: {{do: {{do_not_contact: 90d}}}}
follow_ups:
  - {{name: missed, when: {{disposition: no_answer}}, do: [{{mqtt: crm/missed}}, {{call_back: {{}}}}]}}
"""
SHARED = f"""\
tags:
  do_not_contact: {{do: {{do_not_contact: 30d}}}}
  lost: {{do: {{mail: [lost@b.example, lost@b.example]}}}}
  seen: {{label: {{en: Seen}}}}
defaults:
  follow_ups: [{{name: all, do: {{webhook: "{HOOK}/all"}}}}]
"""


def test_tags_carry_follow_ups_and_a_clients_own_outrank_shared_ones() -> None:
    client = fjord(CARRIED, SHARED)
    assert [(one.name, one.place) for one in client.follow_ups.all] == [
        ("missed", "fjord.yaml:15"),
        ("tag do_not_contact", "fjord.yaml:13"),
        ("tag lost", "shared.yaml:3"),
        ("tag won", "fjord.yaml:12"),
    ]
    missed, never, lost, won = client.follow_ups.all
    assert (won.webhooks, won.mails) == ((HOOK,), ("a@b.example",))
    assert never.do_not_contact == 90 * 86400, "not the shared one's"
    assert lost.mails == ("lost@b.example",), "once"
    assert (missed.topics, missed.call_back) == (("crm/missed",), CallBack("", 86400))
    assert why_due(client, MISSED, "won") == [
        ("missed", "disposition: no_answer"),
        ("tag won", "tag: won"),
    ]


def test_a_client_without_follow_ups_has_those_of_all() -> None:
    client = fjord("tags: {lost: {label: {nb: Tapt}}}\n", SHARED)
    assert [(one.name, one.place) for one in client.follow_ups.all] == [
        ("all", "shared.yaml:6"),
        ("tag do_not_contact", "shared.yaml:2"),
        ("tag lost", "fjord.yaml:11"),
    ], "another word for a tag changes nothing of what it carries"
    assert client.follow_ups.language == "nb"


def day(text: str) -> datetime:
    return datetime.fromisoformat(text)


CALL_BACKS = [
    ("a day where nothing is written", "{}", MONDAY, MONDAY + timedelta(days=1)),
    ("within", "{within: 2h}", MONDAY, MONDAY + timedelta(hours=2)),
    ("by the end of hours", "{by: office}", MONDAY, day("2026-11-23T15:00Z")),
    ("by the end of the next", "{by: office}", MONDAY + timedelta(hours=8), day("2026-11-24T15:00Z")),
    ("over the weekend", "{by: office}", day("2026-11-27T16:00Z"), day("2026-11-30T15:00Z")),
    ("by hours that never come", "{by: never}", MONDAY, MONDAY + timedelta(days=1)),
]


@pytest.mark.parametrize(
    ("written", "at", "until"), [row[1:] for row in CALL_BACKS], ids=[row[0] for row in CALL_BACKS]
)
def test_until_when_somebody_is_to_call_back(written: str, at: datetime, until: datetime) -> None:
    client = fjord(f"follow_ups: [{{name: f, do: {{call_back: {written}}}}}]")
    [one] = client.follow_ups.all
    assert one.call_back is not None
    assert one.call_back.due(at, client.hours) == until


def test_what_agents_key_in_is_not_followed() -> None:
    assert is_followed(MISSED)
    assert not is_followed(by(dialled="code12", route="agent code kept", caller="101"))
    assert not is_followed(replace(MISSED, info=replace(INFO, client=None)))


def left(callback: str) -> LeftMessage:
    return LeftMessage((), "nb", Delivery(), callback=callback)


NUMBERS = [
    ("that of the call", MISSED, "+4790000009"),
    ("the one that was left", by(message=left("+4790000001")), "+4790000001"),
    ("a message without one", by(message=left("")), "+4790000009"),
    ("withheld", by(caller=""), ""),
    ("an internal one", by(caller="100"), ""),
]


@pytest.mark.parametrize(("record", "number"), [row[1:] for row in NUMBERS], ids=[row[0] for row in NUMBERS])
def test_where_the_caller_can_be_called_back(record: CallRecord, number: str) -> None:
    assert call_back_number(record) == number


def errors(text: str) -> list[str]:
    rules = compile_rules({"fjord.yaml": HEAD + text}, Dialling())
    assert isinstance(rules, RuleErrors)
    return [str(error).removeprefix("fjord.yaml:") for error in rules.errors]


WRONG = [
    ("a tag that is none", when("{tag: intrested}"),
     ["11:36: no tag is called `intrested`; did you mean `interested`?"]),
    ("a queue that is none", when("{queue: sale}"),
     ["11:38: no queue is called `sale`; did you mean `sales`?"]),
    ("hours that are none", when("{open: offic}"),
     ["11:37: no hours are called `offic`; did you mean `office`?"]),
    ("a client that is none", when("{not: {client: [fjord, fjor]}}"),
     ["11:53: there is no client `fjor`; did you mean `fjord`?"]),
    ("what nobody knows afterwards", when("{caller: {contact: vip}}"),
     ["11:39: after a call this is not known of its caller any more; tag them in a route (`tag: NAME`), and "
      "ask for the tag here"]),
    ("a misspelt condition", when("{dispositon: busy}"),
     ["11:31: `dispositon` is not a key that can stand here; did you mean `disposition`?"]),
    ("no disposition", when("{disposition: missed}"),
     ["11:44: `missed` cannot stand here; write 'blocked', 'answered', 'dropped', 'message_left', "
      "'callback_requested', 'transferred', 'abandoned', 'informed', 'busy', 'no_answer', 'failed' or "
      "'unobserved'"]),
    ("a stranger's to call back", "follow_ups: [{name: f, do: {call_back: {owner: kary}}}]",
     ["11:48: nobody here is `kary`; did you mean `kari`?"]),
    ("due twice", "follow_ups: [{name: f, do: {call_back: {within: 2h, by: office}}}]",
     ["11:40: this is due twice; write `within:` or `by:`"]),
    ("called back twice", "follow_ups: [{name: f, do: [{call_back: {}}, {call_back: {}}]}]",
     ["11:28: `call_back` is written twice here; write it once, or make two follow-ups"]),
    ("nothing to do", "follow_ups: [{name: f, do: {}}]",
     ["11:28: nothing is to be done here; write webhook, mail, mqtt, call_back or do_not_contact"]),
    ("nothing at all", "follow_ups: [{name: f}]", ["11:14: `do` is missing; add `do: ...`"]),
    ("a user in an address", 'follow_ups: [{name: f, do: {webhook: "https://user:pw@x.example/"}}]',
     ["11:38: an address here may have no user and password; leave them out: what is posted is signed with "
      "the secret of `webhooks.secret_file` in the settings"]),
    ("no address", "follow_ups: [{name: f, do: {webhook: crm}}]",
     ["11:38: `crm` is not an address on the web; begin with https://"]),
    ("a topic with a hash", "follow_ups: [{name: f, do: {mqtt: crm/#}}]",
     ["11:35: `crm/#` is no part of a topic; use letters, digits, _ - and / between them"]),
    ("at once", "follow_ups: [{name: f, do: {call_back: {within: 5s}}}]",
     ["11:49: `5s` is no time to call back in; write 1m to 90d"]),
    ("never again", "follow_ups: [{name: f, do: {do_not_contact: 9999d}}]",
     ["11:45: `9999d` is no time not to be called; write 1h to 3650d"]),
    ("the same name twice", "follow_ups: [{name: f, do: {mqtt: a}}, {name: f, do: {mqtt: b}}]",
     ["11:47: follow-up `f` is already at fjord.yaml:11; give each its own"]),
    ("the name of a tag's", "tags: {won: {do: {mqtt: a}}}\nfollow_ups: [{name: tag won, do: {mqtt: b}}]",
     ["12:21: follow-up `tag won` is already at fjord.yaml:11; give each its own"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "told"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_cannot_be_written(text: str, told: list[str]) -> None:
    assert errors(text) == told


SUND = HEAD.replace("fjord", "sund").replace("334455", "330055").replace("334466", "330066")
FOR_ALL_BUT = """\
defaults:
  follow_ups:
    - {name: all but fjord, when: {not: {client: fjord}}, do: {mqtt: a}}
    - {name: fjord alone, when: {client: CLIENT}, do: {mqtt: b}}
"""


def test_follow_ups_that_clients_share_may_be_for_some() -> None:
    files = {"fjord.yaml": HEAD, "sund.yaml": SUND, "shared.yaml": FOR_ALL_BUT.replace("CLIENT", "fjord")}
    rules = compile_rules(files, Dialling())
    assert isinstance(rules, RuleSet), rules
    of_sund = replace(MISSED, info=replace(INFO, client="sund"))
    assert [name for name, _ in why_due(rules.clients["fjord"])] == ["fjord alone"]
    assert [name for name, _ in why_due(rules.clients["sund"], of_sund)] == ["all but fjord"]


def test_a_client_that_is_none_is_told_once_for_all_who_share_that() -> None:
    files = {"fjord.yaml": HEAD, "sund.yaml": SUND, "shared.yaml": FOR_ALL_BUT.replace("CLIENT", "fjort")}
    rules = compile_rules(files, Dialling())
    assert isinstance(rules, RuleErrors)
    assert [str(error) for error in rules.errors] == [
        "shared.yaml:4:42: there is no client `fjort`; did you mean `fjord`?"
    ]


OWNERS = """\
tags: {won: {do: {call_back: {}}}}
follow_ups:
  - {name: missed, do: [{mqtt: a}, {call_back: {within: 2h}}]}
  - {name: own, do: {call_back: {owner: kari}}}
"""


def test_nobodys_call_back_is_warned_of() -> None:
    instead = "add `owner:` to its `call_back`, so that somebody does"
    assert [str(one) for one in compiled(OWNERS).warnings] == [
        f"fjord.yaml:11:18: nobody in particular is to call back after `won`; {instead}",
        f"fjord.yaml:13:24: nobody in particular is to call back after `missed`; {instead}",
    ]


def test_what_the_settings_cannot_send_is_warned_of() -> None:
    rules = compiled(CARRIED, SHARED)
    assert not_sent(rules, mail=True, secret=True, mqtt=True) == ()
    assert [str(one) for one in not_sent(rules, mail=False, secret=False, mqtt=False)] == [
        "fjord.yaml:12:1: follow-up `tag won` is mailed by nobody; set `mail.host` in the settings",
        "fjord.yaml:12:1: follow-up `tag won` is posted unsigned; set `webhooks.secret_file` in the settings",
        "fjord.yaml:15:1: follow-up `missed` is published nowhere; set `mqtt:` in the settings",
        "shared.yaml:3:1: follow-up `tag lost` is mailed by nobody; set `mail.host` in the settings",
    ]


def test_what_other_systems_are_told_of_a_follow_up() -> None:
    client = fjord(CARRIED)
    record = by(message=left("+4790000001"), hung_up_by=Party.CALLER, reason="queue_timeout")
    ended = Ended(record, frozenset({"won", "callback"}), client.hours)
    [missed, _] = due(client.follow_ups.all, ended)
    told = notices.of_follow_up(missed, record, ended.tags, MONDAY, "crm/missed")
    assert isinstance(told, notices.FollowUpDue)
    assert notices.type_of(told) == "follow_up.due"
    assert (told.id, told.topic) == ("aaaaaaaaaaaaa.follow_up.missed.crm/missed", "crm/missed")
    assert (told.why, told.callback) == ("disposition: no_answer", "+4790000001")
    assert (told.queues, told.tags) == (("reception",), ("callback", "won"))
    posted = notices.of_follow_up(missed, record, (), MONDAY)
    assert isinstance(posted, notices.FollowUpDue)
    assert (posted.id, posted.topic) == ("aaaaaaaaaaaaa.follow_up.missed", "")
    spared = notices.of_follow_up(missed, record, (), MONDAY, do_not_contact=True)
    assert isinstance(spared, notices.FollowUpDue)
    assert (posted.do_not_contact, spared.do_not_contact) == (False, True)


# In the administrators' own tests

TESTED = """\
tests:
  - name: t
    call: {{to: "{to}", from: "+4790000009", at: 2026-11-23 10:30}}
    given: {{reception: timeout, sales: timeout, kari: no_answer}}
    tagged: {tagged}
    expect: {expect}
"""
PLAYED = [
    ("what is due", "[won]", "{follow_ups: [missed, tag won]}", ()),
    ("one", "[]", "{follow_ups: missed}", ()),
    ("not what was expected", "[]", "{follow_ups: []}", ("follow_ups is [missed], not []",)),
    ("anything", "[won]", "{route: main}", ()),
]


@pytest.mark.parametrize(
    ("tagged", "expect", "wrong"), [row[1:] for row in PLAYED], ids=[row[0] for row in PLAYED]
)
def test_tests_of_rules_say_what_is_to_be_done(tagged: str, expect: str, wrong: tuple[str, ...]) -> None:
    rules = compiled(CARRIED)
    text = TESTED.format(to="+4722334455", tagged=tagged, expect=expect)
    [scenario], mistakes = read_scenarios("fjord.test.yaml", text, rules)
    assert mistakes == ()
    assert play(scenario, rules).wrong == wrong


def test_nothing_is_to_be_done_after_a_call_to_nobodys_number() -> None:
    rules = compiled(CARRIED)
    text = TESTED.format(to="+4799999999", tagged="[]", expect="{follow_ups: []}").replace(
        "given: {reception: timeout, sales: timeout, kari: no_answer}", "given: {}"
    )
    [scenario], _ = read_scenarios("fjord.test.yaml", text, rules)
    assert play(scenario, rules).wrong == ()


def test_a_tag_that_is_none_is_an_error_of_a_test() -> None:
    text = TESTED.format(to="+4722334455", tagged="[wonn]", expect="{}")
    _, mistakes = read_scenarios("fjord.test.yaml", text, compiled(CARRIED))
    assert [str(one) for one in mistakes] == [
        "fjord.test.yaml:5:14: no tag is called `wonn`; did you mean `won`?"
    ]
