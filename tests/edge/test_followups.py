"""Follow-ups on real databases: written with a call's end or a tag, once, and done with by later calls."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, delete, select
from sqlalchemy import event as sqlalchemy_event
from typer.testing import CliRunner

from router.cli.main import app
from router.core.dialling import Dialling
from router.core.donotcontact import DoNotContact
from router.core.plan import Delivery
from router.core.record import CallRecord, Disposition, LeftMessage
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.core.tags import CallTag, Way
from router.edge.mqttwords import FOLLOW_UP, Topics
from router.edge.store import followups
from router.edge.store import jobs as store
from router.edge.store.database import begin, parse_url, prepare, writing_engine
from router.edge.store.donotcontact import DoNotContacts
from router.edge.store.jobs import LEASE, Address, Caller, Job, Jobs, Tried
from router.edge.store.messages import Messages
from router.edge.store.obligations import Obligation, Obligations
from router.edge.store.operations import Reached
from router.edge.store.outbox import Outbox
from router.edge.store.queries import CallFilter, Queries
from router.edge.store.tables import FOLLOW_UPS, METADATA
from router.edge.store.tags import Tags
from router.edge.store.writer import Writer
from tests.edge.stories import PLAN, TEN, TRACE, a_call, abandoned, talked
from tests.harness.postgres import Postgres

HOOK, LEADS = "https://crm.example/missed", "https://crm.example/leads"
RULES = f"""\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
language: nb
people: {{kari: {{rings: PJSIP/kari, extension: 101}}}}
queues: {{reception: {{agents: kari}}}}
routes: [{{name: main, do: [{{queue: reception}}]}}]
tags:
  booking: {{do: {{webhook: "{LEADS}"}}}}
  lost: {{}}
  do_not_contact: {{do: {{do_not_contact: 90d}}}}
follow_ups:
  - name: missed
    when: {{disposition: abandoned}}
    do:
      - {{webhook: "{HOOK}", mail: [post@fjord.example]}}
      - {{mqtt: crm/missed}}
      - call_back: {{owner: kari, within: 2h}}
  - name: lost
    when: [{{tag: lost}}, {{tag: wrong_number, disposition: abandoned}}]
    do: {{webhook: "{HOOK}"}}
  - {{name: clean, when: {{disposition: answered, not: {{tag: lost}}}}, do: {{webhook: "{LEADS}"}}}}
"""
SUND = """\
client: sund
name: Sund
numbers: "+4722334456"
timezone: Europe/Oslo
country: NO
routes: [{name: main, do: hangup}]
"""


def compiled(text: str = RULES) -> RuleSet:
    rules = compile_rules({"fjord.yaml": text, "sund.yaml": SUND}, Dialling("PJSIP/{number}@trunk"))
    assert isinstance(rules, RuleSet), rules
    return rules


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database: to copy one is quicker than to make it."""
    file = tmp_path_factory.mktemp("prepared") / "callrouter.db"
    prepare(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="module")
def server(postgres: Postgres) -> str:
    made = postgres.new_database()
    prepare(made)
    return made


@pytest.fixture
def lite(prepared: Path, tmp_path: Path) -> str:
    shutil.copy(prepared, tmp_path / "callrouter.db")
    return f"sqlite:///{tmp_path}/callrouter.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        lite: str = request.getfixturevalue("lite")
        return lite
    made: str = request.getfixturevalue("server")
    engine = writing_engine(parse_url(made))
    with engine.begin() as connection:
        for table in METADATA.sorted_tables:
            connection.execute(delete(table))
    engine.dispose()
    return made


@pytest.fixture
def jobs(url: str) -> Iterator[Jobs]:
    with closing(Jobs(url)) as made:
        yield made


@pytest.fixture
def obligations(url: str) -> Iterator[Obligations]:
    with closing(Obligations(url)) as made:
        yield made


class Heard:
    """How often there was more to be done, and more whom nobody is to call."""

    def __init__(self) -> None:
        self.times = 0
        self.spared = 0

    def __call__(self, spares: bool) -> None:
        self.times += 1
        self.spared += spares


def written(url: str, *told: CallRecord | CallTag | Reached, rules: RuleSet | None = None) -> Heard:
    """Have one router write all of that."""
    writer, heard = Writer(url, queue_limit=1000), Heard()
    writer.use(rules or compiled())
    for one in told:
        if isinstance(one, CallTag):
            writer.tagged(one)
        elif isinstance(one, Reached):
            writer.reached(one.client, one.number, one.at)
        else:
            writer.arrived(one.info, PLAN, TRACE)
            writer.ended(one)
    writer.start(on_follow_up=heard)
    assert writer.close(20) == 0
    assert writer.refused == 0
    return heard


def missed(id: str = "c1", **changes: Any) -> CallRecord:
    return abandoned(a_call(id, **changes))


def answered(id: str, after: timedelta, **changes: Any) -> CallRecord:
    """A call that was answered, and arrived so long after TEN."""
    return talked(a_call(id, at=TEN + after, **changes))


def tag(name: str, call: str = "c1", *, removed: bool = False, after: float = 60.0) -> CallTag:
    return CallTag(call, name, "kari", Way.PHONE, TEN + timedelta(seconds=after), removed)


def sent_to(jobs: Jobs) -> list[tuple[str, str, str]]:
    return [(job.call_id, job.follow_up, job.address) for job in jobs.waiting(100)]


def owed(obligations: Obligations) -> list[str]:
    return [one.call_id for one in obligations.listed(limit=100)]


def every(obligations: Obligations, limit: int = 9) -> list[str]:
    return [one.call_id for one in obligations.listed(done=True, limit=limit)]


def test_the_end_of_a_call_writes_what_is_to_be_done(url: str, jobs: Jobs, obligations: Obligations) -> None:
    record = replace(missed(), queues=("reception",))
    heard = written(url, record, answered("c2", timedelta(0), caller=""))
    assert heard.times == 1
    assert sent_to(jobs) == [
        ("c1", "missed", HOOK),
        ("c1", "missed", "post@fjord.example"),
        ("c2", "clean", LEADS),
    ]
    first = jobs.waiting(1)[0]
    assert (first.way, first.language, first.made_at) == ("webhook", "nb", record.ended_at)
    body = msgspec.json.decode(first.body)
    assert (body["type"], body["id"], body["version"]) == ("follow_up.due", "c1.follow_up.missed", 1)
    assert (body["why"], body["queues"]) == ("disposition: abandoned", ["reception"])
    assert body["call"]["caller"] == "+4790000001"
    [one] = obligations.listed(limit=10)
    assert (one.call_id, one.number, one.owner) == ("c1", "+4790000001", "kari")
    assert one.due_at == record.ended_at + timedelta(hours=2)
    with closing(Outbox(url)) as outbox:
        [told] = [one for one in outbox.unsent("ast1", 100) if one.type == FOLLOW_UP]
    assert (told.notice, msgspec.json.decode(told.body)["topic"]) == (
        "c1.follow_up.missed.crm/missed",
        "crm/missed",
    )
    assert Topics("callrouter", "r1").of_notice(told) == "callrouter/events/fjord/follow_up/due/crm/missed"
    with closing(Queries(url)) as queries:
        assert queries.calls(CallFilter(limit=2))[1].record == record, "its queues, too"


def test_what_is_sent_of_a_call_that_is_written_late_has_its_whole_time(url: str, jobs: Jobs) -> None:
    before = datetime.now(UTC)
    written(url, missed(at=before - timedelta(days=9)))
    assert [job.since >= before > job.made_at for job in jobs.waiting(9)] == [True, True]


def test_what_is_told_twice_is_done_once(url: str, jobs: Jobs, obligations: Obligations) -> None:
    written(url, missed())
    assert written(url, missed(), tag("lost"), tag("lost", after=61)).times == 1
    assert written(url, missed(), tag("lost"), tag("wrong_number")).times == 0
    assert [row[1] for row in sent_to(jobs)] == ["missed", "missed", "lost"]
    assert len(owed(obligations)) == 1


LATER: list[tuple[str, tuple[CallTag, ...], list[str]]] = [
    ("a tag that carries something", (tag("booking"),), ["tag booking"]),
    ("one that follow-ups name", (tag("lost"),), ["lost"]),
    ("another way to it", (tag("wrong_number"),), ["lost"]),
    ("several, in order", (tag("booking"), tag("lost")), ["tag booking", "lost"]),
    ("a tag that nothing goes by", (tag("interested"),), []),
    ("one that is taken off", (tag("lost"), tag("lost", removed=True, after=61)), []),
    ("the same of another call", (tag("lost", "c9"),), []),
]


@pytest.mark.parametrize(("tags", "due"), [row[1:] for row in LATER], ids=[row[0] for row in LATER])
def test_a_later_tag_makes_due_what_goes_by_it(lite: str, tags: tuple[CallTag, ...], due: list[str]) -> None:
    written(lite, missed())
    written(lite, *tags)
    with closing(Jobs(lite)) as jobs:
        assert [name for _, name, _ in sent_to(jobs)[2:]] == due
        assert all(job.made_at >= TEN + timedelta(seconds=60) for job in jobs.waiting(100)[2:])


def test_a_tag_by_command_makes_due_what_goes_by_it(url: str, jobs: Jobs) -> None:
    written(url, missed())
    with closing(Tags(url)) as tags:
        tags.put(tag("booking"))
        assert len(sent_to(jobs)) == 2, "who has no rules does nothing more"
        tags.put(tag("booking", removed=True, after=70), compiled())
        tags.put(tag("lost"), compiled())
        tags.put(tag("lost", after=80), compiled())
    assert [name for _, name, _ in sent_to(jobs)[2:]] == ["lost"]


@pytest.mark.parametrize("by", ["command", "phone"])
def test_a_tag_that_is_said_again_makes_due_what_was_not(url: str, jobs: Jobs, by: str) -> None:
    written(url, missed())
    with closing(Tags(url)) as tags:
        tags.put(tag("lost"))  # by who knew no rules
        assert len(sent_to(jobs)) == 2
        again = tag("lost", after=90)
        if by == "phone":
            assert [written(url, again).times, written(url, again).times] == [1, 0]
        else:
            put = [tags.put(again, compiled()) for _ in "12"]
            assert [(one.row.at, one.written, one.due) for one in put] == [
                (tag("lost").at, False, True),
                (tag("lost").at, False, False),
            ]
    assert [name for _, name, _ in sent_to(jobs)[2:]] == ["lost"]
    assert jobs.waiting(9)[-1].made_at == again.at
    with closing(Queries(url)) as queries:
        assert len(queries.calls(CallFilter(limit=1))[0].tags) == 1


def test_rules_of_later_make_nothing_of_an_old_call_due_but_what_a_new_tag_does(url: str, jobs: Jobs) -> None:
    written(url, missed(), rules=compiled(RULES.replace("disposition: abandoned", "disposition: busy")))
    assert sent_to(jobs) == []
    written(url, tag("lost"))
    assert [name for _, name, _ in sent_to(jobs)] == ["lost"]


def test_tags_of_before_the_end_count_at_the_end(url: str, jobs: Jobs) -> None:
    by_rule = replace(answered("c3", timedelta(0)), tags=(CallTag("c3", "booking", "main", Way.RULE, TEN),))
    tags = (tag("lost", after=1), tag("lost", "c2", after=1), tag("lost", "c2", removed=True, after=2))
    written(url, *tags, answered("c1", timedelta(0)), answered("c2", timedelta(0)), by_rule)
    assert [row[:2] for row in sent_to(jobs)] == [
        ("c1", "lost"),
        ("c2", "clean"),
        ("c3", "clean"),
        ("c3", "tag booking"),
    ]


def test_a_tag_of_a_live_call_waits_for_its_end(url: str, jobs: Jobs) -> None:
    writer = Writer(url, queue_limit=1000)
    writer.use(compiled())
    writer.arrived(a_call("c1"), PLAN, TRACE)
    writer.tagged(tag("lost"))
    writer.start()
    assert writer.close(20) == 0
    assert sent_to(jobs) == []
    written(url, answered("c1", timedelta(0)))
    assert [row[1] for row in sent_to(jobs)] == ["lost"]


def test_nobody_is_to_be_called_back_who_cannot_be(url: str, obligations: Obligations) -> None:
    message = LeftMessage((), "nb", Delivery(), callback="+4790000077")
    written(
        url,
        missed("c1", caller=""),
        missed("c2", caller="100"),
        replace(missed("c3", caller=""), message=message),
    )
    assert [(one.call_id, one.number) for one in obligations.listed(limit=9)] == [("c3", "+4790000077")]


def test_whom_nobody_is_to_call(url: str) -> None:
    heard = written(url, missed("c1"), missed("c2", caller=""))
    assert (heard.times, heard.spared) == (1, 0)
    assert written(url, tag("do_not_contact"), tag("do_not_contact", "c2")).spared == 1
    until = TEN + timedelta(days=90, seconds=60)
    with closing(DoNotContacts(url)) as entries:
        [row] = entries.standing(NOW)
        assert (row.number, row.client, row.who, row.call_id) == ("+4790000001", "fjord", "rules", "c1")
        assert (row.until, row.why) == (until, "tag do_not_contact: tag: do_not_contact")
        own = entries.add(DoNotContact(0, "+4790000001", None, None, "root", "asked", NOW))
        assert list(entries.standing(NOW, "fjord")) == [row, own]
        assert list(entries.standing(NOW, "sund")) == [own]
        assert list(entries.standing(until)) == [own]
        assert list(entries.remove("+4790000001", "fjord", "root", NOW)) == [row]
        assert list(entries.remove("+4790000001", None, "root", NOW)) == [own]
        assert list(entries.remove("+4790000001", None, "root", NOW)) == []


def told_of(url: str, jobs: Jobs) -> dict[str, bool]:
    """What is posted, and published, of whether nobody is to call: by the id of the notice."""
    posts = {job.body for job in jobs.waiting(100) if job.way == "webhook"}
    with closing(Outbox(url)) as outbox:
        published = {one.body for one in outbox.unsent("ast1", 100) if one.type == FOLLOW_UP}
    told = map(msgspec.json.decode, posts | published)
    return {one["id"]: one["do_not_contact"] for one in told}


def by_rule(name: str, record: CallRecord) -> CallRecord:
    return replace(record, tags=(CallTag(record.info.id, name, "main", Way.RULE, TEN),))


def test_posts_and_events_say_whether_nobody_is_to_call(url: str, jobs: Jobs) -> None:
    written(url, by_rule("do_not_contact", missed("c1")), missed("c2", caller="+4790000002"))
    assert told_of(url, jobs) == {
        "c1.follow_up.missed": True,
        "c1.follow_up.missed.crm/missed": True,
        "c2.follow_up.missed": False,
        "c2.follow_up.missed.crm/missed": False,
    }
    with closing(DoNotContacts(url)) as entries:
        entries.add(DoNotContact(0, "+4790000003", "sund", None, "root", "asked", NOW))
        entries.add(DoNotContact(0, "+4790000004", None, None, "root", "asked", NOW))
        entries.add(DoNotContact(0, "+4790000005", None, TEN, "root", "asked", TEN))
    numbers = {"c3": "+4790000001", "c4": "+4790000003", "c5": "+4790000004", "c6": "+4790000005"}
    written(url, *(missed(id, caller=number) for id, number in numbers.items()), missed("c7", caller=""))
    told = told_of(url, jobs)
    assert [told[f"{id}.follow_up.missed"] for id in (*numbers, "c7")] == [True, False, True, False, False]


def test_calls_of_which_nothing_is_to_be_done_ask_nothing_more(lite: str) -> None:
    asked: list[str] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    sqlalchemy_event.listen(Engine, "before_cursor_execute", note)
    try:
        written(lite, missed("c1", client="sund"), replace(missed("c2"), disposition=Disposition.BUSY))
    finally:
        sqlalchemy_event.remove(Engine, "before_cursor_execute", note)
    assert not [one for one in asked if "do_not_contact" in one]


def test_a_mail_asks_when_it_is_sent_whether_nobody_is_to_call(url: str, jobs: Jobs) -> None:
    written(url, missed("c1"))
    [job] = [job for job in jobs.waiting(9) if job.way == "mail"]
    assert jobs.callers([job], NOW) == {job.id: Caller()}
    with closing(DoNotContacts(url)) as entries:
        entries.add(DoNotContact(0, "+4790000001", "fjord", None, "root", "asked", NOW))
    assert jobs.callers([job], NOW) == {job.id: Caller(spared=True)}
    assert jobs.callers([replace(job, client="sund")], NOW) == {job.id: Caller()}


def test_of_a_message_too(url: str) -> None:
    left = LeftMessage((), "nb", Delivery(("post@fjord.example",)), callback="+4790000001")
    written(url, replace(missed("c1"), message=left))
    with closing(Messages(url)) as messages, closing(DoNotContacts(url)) as entries:
        [message] = messages.find("c1")
        assert not messages.spared(message, NOW)
        entries.add(DoNotContact(0, "+4790000001", None, None, "root", "asked", NOW))
        assert messages.spared(message, NOW)
        assert not messages.spared(replace(message, callback=""), NOW)


def test_what_agents_key_in_is_no_call_to_be_followed_up(url: str, jobs: Jobs) -> None:
    written(url, missed("c1", dialled="code12", route="agent code kept", caller="112"))
    assert sent_to(jobs) == []


def test_without_follow_ups_nothing_is_written(url: str, jobs: Jobs) -> None:
    assert written(url, missed("c1", client="sund"), missed("c2", client=None)).times == 0
    assert sent_to(jobs) == []


def test_an_error_in_rules_keeps_no_call_from_being_written(
    url: str, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("office")

    monkeypatch.setattr(followups, "due", fail)
    written(url, missed())
    with closing(Queries(url)) as queries:
        assert queries.counts().ended == {Disposition.ABANDONED: 1}
    assert sent_to(jobs) == []


# Obligations are done with by later calls.

HOUR = timedelta(hours=1)
CLOSED: list[tuple[str, CallRecord, bool]] = [
    ("the caller calls again and is answered", answered("c2", HOUR), True),
    ("is not answered", missed("c2", at=TEN + HOUR), False),
    ("calls another client", answered("c2", HOUR, client="sund"), False),
    ("somebody else calls", answered("c2", HOUR, caller="+4790000002"), False),
    ("a call that was over before", answered("c2", -HOUR), False),
    ("a talk that goes on meanwhile", answered("c2", timedelta(seconds=-5)), False),
    ("a call that waits meanwhile, and is answered", answered("c2", timedelta(seconds=-1)), True),
    ("a queue has called back", replace(answered("c2", HOUR), answers="c1"), True),
    ("nobody knows who calls", answered("c2", HOUR, caller=""), False),
]


@pytest.mark.parametrize(("record", "done"), [row[1:] for row in CLOSED], ids=[row[0] for row in CLOSED])
@pytest.mark.parametrize("together", [False, True], ids=["later", "in one transaction"])
def test_which_calls_make_calling_back_needless(
    lite: str, record: CallRecord, done: bool, together: bool
) -> None:
    if together:
        written(lite, missed(), record)
    else:
        written(lite, missed())
        written(lite, record)
    with closing(Obligations(lite)) as obligations:
        [one] = obligations.of_call("c1")
    found = (one.closed_by, one.closed_call, one.closed_at)
    assert found == (("ola", "c2", record.ended_at) if done else (None, None, None))


def test_a_tag_on_an_answered_call_is_not_done_with_by_that_call(url: str, obligations: Obligations) -> None:
    rules = compiled(RULES.replace("booking: {do: {", "booking: {do: {call_back: {}, "))
    written(url, answered("c1", timedelta(0)), tag("booking", after=90), rules=rules)
    written(url, answered("c1", timedelta(0)), rules=rules)
    assert owed(obligations) == ["c1"]


def test_a_number_left_or_called_from_will_do(url: str, obligations: Obligations) -> None:
    message = LeftMessage((), "nb", Delivery(), callback="+4790000077")
    written(
        url, replace(missed(), message=message), replace(missed("c2", caller="+4790000002"), message=message)
    )
    written(url, answered("c3", HOUR))
    assert owed(obligations) == ["c2"], "c1 has called from the same number again"
    written(url, answered("c4", HOUR, caller="+4790000077"))
    assert owed(obligations) == []


def wishing(id: str) -> CallRecord:
    left = LeftMessage((), "nb", Delivery(), callback=f"+479000000{id[1:]}")
    return replace(missed(id), message=left, disposition=Disposition.CALLBACK_REQUESTED)


def test_a_wish_of_the_same_call_is_done_with_too(url: str, obligations: Obligations) -> None:
    rules = compiled(RULES.replace("disposition: abandoned}\n", "disposition: callback_requested}\n"))
    written(url, wishing("c1"), wishing("c2"), rules=rules)
    with closing(Messages(url)) as messages:
        [one] = obligations.of_call("c1")
        assert obligations.done(one.id, "root", TEN + HOUR)
        assert not obligations.done(one.id, "root", TEN + HOUR), "it was done before"
        assert [left.call_id for left, _ in messages.listed(None, done=False, limit=9)] == ["c2"]
        messages.done("c2", "root", TEN + HOUR)
    assert owed(obligations) == []


def test_who_has_called_several_times_is_called_back_once(url: str, obligations: Obligations) -> None:
    written(url, *(missed(f"c{number}", at=TEN + number * HOUR) for number in range(1, 4)))
    written(url, missed("c4", caller="+4790000002"))
    first, *others = obligations.listed(number="+4790000001", limit=9)
    assert [one.call_id for one in (first, *others)] == ["c1", "c2", "c3"]
    assert obligations.figures(first.due_at + timedelta(seconds=1)) == (2, 2)
    assert obligations.done(others[0].id, "root", TEN + 9 * HOUR) == 3
    assert obligations.done(first.id, "root", TEN + 9 * HOUR) == 0
    assert owed(obligations) == ["c4"]


REACHED = [
    ("their number", "fjord", "+4790000001", HOUR, 2),
    ("another client's caller", "sund", "+4790000001", HOUR, 0),
    ("another number", "fjord", "+4790000002", HOUR, 0),
    ("before they called", "fjord", "+4790000001", -HOUR, 0),
]


@pytest.mark.parametrize(
    ("client", "number", "after", "count"), [row[1:] for row in REACHED], ids=[row[0] for row in REACHED]
)
def test_who_was_reached_by_a_call_that_the_router_does_not_see(
    url: str, obligations: Obligations, client: str, number: str, after: timedelta, count: int
) -> None:
    written(url, missed("c1"), missed("c2"))
    heard = written(url, Reached(client, number, TEN + after))
    assert heard.times == (count > 0)
    assert len(owed(obligations)) == 2 - count
    assert {one.closed_by for one in obligations.listed(done=True, limit=9)} == {
        "dialplan" if count else None
    }


def test_who_calls_and_is_reached_while_the_database_is_away_is_done_with(
    url: str, obligations: Obligations
) -> None:
    written(url, missed("c1"), Reached("fjord", "+4790000001", TEN + HOUR))
    assert owed(obligations) == []


def test_obligations_are_listed_by_urgency(url: str, obligations: Obligations) -> None:
    later = missed("c2", at=TEN + HOUR, caller="+4790000002")
    written(url, later, missed("c1"))
    assert owed(obligations) == ["c1", "c2"]
    assert [one.call_id for one in obligations.listed(client="sund", limit=9)] == []
    assert [one.call_id for one in obligations.listed(owner="kari", client="fjord", limit=9)] == ["c1", "c2"]
    assert obligations.listed(owner="ola", limit=9) == []
    [first, second] = obligations.listed(limit=9)
    now = first.due_at + timedelta(seconds=1)
    assert (first.overdue(now), second.overdue(now)) == (True, False)
    assert obligations.figures(now) == (2, 1)
    obligations.done(first.id, "root", now)
    assert obligations.figures(now) == (1, 0)
    found = obligations.find(first.id)
    assert isinstance(found, Obligation)
    assert not found.overdue(now)
    assert obligations.find(99) is None
    written(url, missed("c3", at=TEN + 2 * HOUR, caller="+4790000003"))
    assert every(obligations) == ["c2", "c3", "c1"], "what is done is after all others"
    obligations.done(second.id, "root", now + HOUR)
    assert every(obligations) == ["c3", "c2", "c1"], "the latest first"
    assert every(obligations, limit=1) == owed(obligations)


# Jobs

THERE = Address("webhook", HOOK)
NOW = TEN + HOUR


def claimed(jobs: Jobs, at: datetime = NOW, limit: int = 9, to: Address = THERE) -> list[str]:
    return [f"{job.call_id} {job.follow_up}" for job in jobs.claim(to, at, limit)]


def settled(jobs: Jobs, outcome: Callable[[Job], Tried], at: datetime = NOW) -> list[str]:
    taken = jobs.claim(THERE, at, 9)
    jobs.settle([outcome(job) for job in taken], at)
    return [f"{job.call_id} {job.follow_up}" for job in taken]


def test_of_one_call_jobs_go_one_after_the_other(url: str, jobs: Jobs) -> None:
    written(url, missed("c1"), missed("c2"), tag("lost"), tag("lost", "c2"))
    assert {tuple(to) for to in jobs.due_at(NOW)} == {THERE, ("mail", "post@fjord.example")}
    assert claimed(jobs, limit=1) == ["c1 missed"]
    assert claimed(jobs) == ["c2 missed"], "c1's other one waits for its first"
    assert claimed(jobs) == []
    assert claimed(jobs, NOW + LEASE) == ["c1 missed", "c2 missed"], "whoever had them is gone"


def test_what_was_taken_lets_the_next_of_its_call_go(url: str, jobs: Jobs) -> None:
    written(url, missed("c1"), tag("lost"))
    assert settled(jobs, Tried) == ["c1 missed"]
    assert settled(jobs, Tried) == ["c1 lost"]
    assert settled(jobs, Tried) == []
    assert [(job.tries, job.done_at, job.next_at) for job in jobs.of_call("c1") if job.way == "webhook"] == [
        (1, NOW, None),
        (1, NOW, None),
    ]


def test_what_was_not_taken_is_tried_again_and_holds_up_the_next(url: str, jobs: Jobs) -> None:
    written(url, missed("c1"), tag("lost"))
    minute = timedelta(minutes=1)
    assert settled(jobs, lambda job: Tried(job, "it sleeps", NOW + minute)) == ["c1 missed"]
    assert settled(jobs, Tried) == []
    [mail, post] = jobs.standing()
    if mail.way == "webhook":
        mail, post = post, mail
    assert (post.way, post.address, post.waiting, post.error) == ("webhook", HOOK, 2, "it sleeps")
    assert (mail.waiting, mail.error) == (1, None)
    assert post.oldest == missed().ended_at
    assert settled(jobs, Tried, NOW + minute) == ["c1 missed"]
    assert jobs.of_call("c1")[0].error is None


def test_what_is_given_up_is_dead_until_it_is_sent_again(url: str, jobs: Jobs) -> None:
    written(url, missed("c1"), tag("lost"))
    assert settled(jobs, lambda job: Tried(job, "it is gone")) == ["c1 missed"]
    [dead] = jobs.dead(9)
    assert (dead.follow_up, dead.error, dead.dead_at, dead.next_at) == ("missed", "it is gone", NOW, None)
    assert jobs.figures() == (2, 1, missed().ended_at)
    assert claimed(jobs) == ["c1 lost"], "it holds up nothing any more"
    assert jobs.again(NOW, 99) == 0
    assert jobs.again(NOW, dead.id) == 1
    assert jobs.dead(9) == []
    [again] = [job for job in jobs.waiting(9) if job.id == dead.id]
    assert (again.since, again.tries, again.next_at) == (NOW, 0, NOW)


def test_what_waits_behind_another_of_its_call_is_not_due(url: str, jobs: Jobs) -> None:
    written(url, missed("c1"), tag("lost"))
    settled(jobs, lambda job: Tried(job, "it sleeps", NOW + HOUR))
    assert [to.way for to in jobs.due_at(NOW)] == ["mail"]
    assert jobs.due_at(NOW, jobs.due_at(NOW)) == []
    assert {to.way for to in jobs.due_at(NOW + HOUR)} == {"mail", "webhook"}


def test_what_is_due_is_found_behind_many_that_rest(
    url: str, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "FIRST_LOOK", 3)
    written(url, *(missed(f"c{number}") for number in range(8)))
    settled(jobs, lambda job: Tried(job, "no", NOW + (HOUR if job.call_id < "c5" else -HOUR)))
    assert THERE in jobs.due_at(NOW)
    assert claimed(jobs) == ["c5 missed", "c6 missed", "c7 missed"]


def test_a_lone_try_is_of_what_was_tried_least_often(
    url: str, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "FIRST_LOOK", 3)
    written(url, *(missed(f"c{number}") for number in range(5)))
    settled(jobs, lambda job: Tried(job, "no", NOW))
    written(url, missed("c9"))
    assert claimed(jobs, limit=1) == ["c9 missed"]


def test_who_fails_late_leaves_it_to_who_tries_it_by_then(url: str, jobs: Jobs) -> None:
    written(url, missed("c1"))
    slow = jobs.claim(THERE, NOW, 9)
    assert claimed(jobs, NOW + LEASE) == ["c1 missed"]
    jobs.settle([Tried(job, "it sleeps", NOW) for job in slow], NOW + LEASE)
    assert claimed(jobs, NOW + LEASE) == [], "another tries it"
    jobs.settle([Tried(job) for job in slow], NOW + LEASE)
    assert jobs.of_call("c1")[0].done_at == NOW + LEASE, "what was taken was taken"


def test_what_another_gave_up_meanwhile_was_taken_all_the_same(url: str, jobs: Jobs) -> None:
    written(url, missed("c1"))
    slow = jobs.claim(THERE, NOW, 9)
    assert settled(jobs, lambda job: Tried(job, "no"), NOW + LEASE) == ["c1 missed"]
    jobs.settle([Tried(job) for job in slow], NOW + LEASE)
    assert (jobs.dead(9), jobs.figures()[1]) == ([], 0)
    assert jobs.again(NOW + LEASE) == 1, "the mail"
    assert claimed(jobs, NOW + LEASE) == []


def test_all_can_be_sent_at_once(url: str, jobs: Jobs) -> None:
    written(url, missed("c1"), missed("c2"))
    settled(jobs, lambda job: Tried(job, "no", None if job.call_id == "c1" else NOW + HOUR))
    assert jobs.again(NOW) == 4
    assert settled(jobs, Tried) == ["c1 missed", "c2 missed"]


def test_jobs_are_forgotten_in_time(url: str, jobs: Jobs) -> None:
    written(url, missed("c1"), missed("c2"))
    settled(jobs, lambda job: Tried(job, "no") if job.call_id == "c1" else Tried(job))
    assert jobs.forget(NOW, NOW) == 0
    later = NOW + timedelta(seconds=1)
    assert jobs.forget(later, NOW) == 1
    assert jobs.forget(later, later) == 1
    assert jobs.figures()[:2] == (2, 0), "what waits is kept"


def test_jobs_are_forgotten_some_at_a_time(url: str, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "FORGET_AT_ONCE", 2)
    written(url, missed("c1"), missed("c2"), missed("c3"))
    settled(jobs, Tried)
    later = NOW + timedelta(seconds=1)
    assert [jobs.forget(later, later) for _ in range(3)] == [2, 1, 0]


def test_why_a_call_was_followed_up_is_kept(url: str) -> None:
    written(url, missed("c1"))
    written(url, tag("lost"))
    with closing(Jobs(url)) as access, begin(access._reading) as connection:
        rows = connection.execute(select(FOLLOW_UPS).order_by(FOLLOW_UPS.c.at)).all()
    assert [(row.name, row.why, row.place, row.tag) for row in rows] == [
        ("missed", "disposition: abandoned", "fjord.yaml:15", ""),
        ("lost", "tag: lost", "fjord.yaml:21", "lost"),
    ]


def test_what_waits_for_the_broker_is_shown_beside_the_rest(lite: str, tmp_path: Path) -> None:
    written(lite, missed())
    config = tmp_path / "callrouter.yaml"
    for mqtt, ways in (({}, ["webhook", "mail"]), ({"host": "mq.example"}, ["webhook", "mail", "mqtt"])):
        config.write_text(json.dumps({"state": str(tmp_path), "mqtt": mqtt}))
        shown = CliRunner().invoke(app, ["outbox", "--json", "--config", str(config)]).stdout
        *standing, dead = map(json.loads, shown.splitlines())
        assert sorted(one["way"] for one in standing) == sorted(ways)
        assert dead == {"dead": 0}
    assert next(one["waiting"] for one in standing if one["way"] == "mqtt") > 1
