"""What follow-ups send: to real servers that are there, away, slow or unwilling."""

import asyncio
import email
import email.policy
import hashlib
import hmac
import json
import random
import shutil
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert

from router.core.donotcontact import DoNotContact
from router.core.tags import Tag
from router.edge import dispatch, webhook
from router.edge.dispatch import Dispatch
from router.edge.followupmetrics import Figures, FollowUpMetrics
from router.edge.letters import follow_up_mail
from router.edge.mail import send
from router.edge.store.database import begin, prepare
from router.edge.store.donotcontact import DoNotContacts
from router.edge.store.jobs import Address, Caller, Job, Jobs
from router.edge.store.tables import CALLS, JOBS
from router.edge.undelivered import RefusedError
from router.edge.webhook import SIGNATURE, TIMESTAMP
from router.settings import Mail, Settings, Webhooks
from tests.edge.sinks import ComingAndGoing, Sinks
from tests.harness.ports import free_port

SECRET = "signed-by-us"
CALL = {
    "id": "c1",
    "client": "fjord",
    "route": "main",
    "dialled": "+4722334455",
    "caller": "+4790000009",
    "arrived_at": "2026-11-27T09:30:00Z",
}
BODY: dict[str, Any] = {
    "type": "follow_up.due",
    "id": "c1.follow_up.missed",
    "at": "2026-11-27T09:31:00Z",
    "version": 1,
    "call": CALL,
    "follow_up": "missed",
    "topic": "",
    "why": "disposition: no_answer",
    "disposition": "no_answer",
    "reason": "",
    "answered_by": None,
    "ended_at": "2026-11-27T09:31:00Z",
    "wait_seconds": 60.0,
    "talk_seconds": 0.0,
    "callback": "+4790000009",
    "queues": ["reception"],
    "tags": ["interested", "old_one"],
}

TAGS = {"interested": Tag("interested", {"nb": "Varm"})}


class Server(ComingAndGoing):
    """One that knows calls."""

    def answers(self, status: Callable[[str], int]) -> None:
        """Answer that, by the call."""
        self.status = lambda body: status(json.loads(body)["call"]["id"])

    def of(self, call: str) -> list[int]:
        """Which jobs of a call were taken, in order."""
        taken = [json.loads(body) for _, body in self.posts]
        return [one["number"] for one in taken if one["call"]["id"] == call]


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database: to copy one is quicker than to make it."""
    file = tmp_path_factory.mktemp("prepared") / "callrouter.db"
    prepare(f"sqlite:///{file}")
    return file


@pytest.fixture
def settings(tmp_path: Path, prepared: Path) -> Settings:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    shutil.copy(prepared, tmp_path / "callrouter.db")
    return Settings(
        state=tmp_path,
        mail=Mail(
            host="127.0.0.1", port=free_port(socket.SOCK_STREAM), tls="none", sender="pbx@fjord.example"
        ),
        webhooks=Webhooks(allow=("localhost",), secret_file=secret),
    )


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("EVERY", 0.2), ("LINGER", 0.01), ("COUNT_EVERY", 0.05)):
        monkeypatch.setattr(dispatch, name, seconds)
    monkeypatch.setattr(dispatch, "AGAIN", (timedelta(seconds=0.05), timedelta(seconds=0.2)))


def queue_up(settings: Settings, *jobs: tuple[str, str], since: datetime | None = None) -> None:
    """Jobs, each of a call and to an address, numbered within the call."""
    now = datetime.now(UTC)
    numbers: dict[str, int] = {}
    rows = []
    for call, address in jobs:
        number = numbers[call] = numbers.get(call, 0) + 1
        body = BODY | {"call": CALL | {"id": call}, "number": number}
        rows.append(
            {
                "call_id": call,
                "follow_up": "missed",
                "number": number,
                "client": "fjord",
                "way": "mail" if "@" in address else "webhook",
                "address": address,
                "language": "nb",
                "body": json.dumps(body),
                "made_at": since or now,
                "since": since or now,
                "tries": 0,
                "next_at": now,
            }
        )
    with closing(Jobs(settings.database_url)) as store, begin(store._writing) as connection:
        connection.execute(insert(JOBS), rows)


def stored(settings: Settings, which: str = "waiting") -> list[Job]:
    with closing(Jobs(settings.database_url)) as jobs:
        return jobs.waiting(1000) if which == "waiting" else jobs.dead(1000)


async def until(true: Callable[[], object], what: str, within: float = 10.0) -> None:
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.01)


class Told:
    """The figures told last."""

    def __init__(self) -> None:
        self.figures = Figures()

    def __call__(self, figures: Figures) -> None:
        self.figures = figures


@asynccontextmanager
async def sending(settings: Settings, told: Callable[[Figures], None]) -> AsyncIterator[Dispatch]:
    made = Dispatch(settings, lambda client: "Europe/Oslo", lambda client: TAGS, told, random.Random(1))
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_is_due_is_posted_signed_and_mailed(settings: Settings) -> None:
    with Sinks() as sinks:
        settings = settings.model_copy(
            update={"mail": settings.mail.model_copy(update={"port": sinks.smtp.port})}
        )
        queue_up(
            settings, ("c1", f"http://localhost:{sinks.web.server_port}/calls"), ("c1", "post@fjord.example")
        )
        async with sending(settings, Told()):
            await asyncio.to_thread(sinks.wait, 1, 1)
            await until(lambda: not stored(settings), "both taken")
        headers, body = sinks.posts[0]
        signature = hmac.new(SECRET.encode(), f"{headers[TIMESTAMP]}.".encode() + body, hashlib.sha256)
        assert headers[SIGNATURE] == signature.hexdigest()
        assert json.loads(body)["id"] == "c1.follow_up.missed"
        assert sinks.mails[0]["Subject"] == "missed: +4790000009"


async def test_a_server_that_is_away_gets_all_in_order_of_each_call(
    settings: Settings, server: Server
) -> None:
    server.stop()
    told = Told()
    calls = [f"c{number}" for number in range(10)]
    queue_up(settings, *((call, server.url) for _ in range(3) for call in calls))
    async with sending(settings, told):
        await until(lambda: any(job.tries for job in stored(settings)), "a try")
        queue_up(settings, ("late", server.url))
        await until(lambda: told.figures.waiting == 31, "the figures")
        server.start()
        await until(lambda: not stored(settings), "all taken")
    assert [server.of(call) for call in calls] == [[1, 2, 3]] * 10
    assert server.of("late") == [1]
    assert server.tries == 31, "nothing was sent twice"


async def test_calls_come_first(settings: Settings, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "GAP", 0.02)
    other = Server()
    other.start()
    try:
        queue_up(settings, *((f"c{number}", one.url) for number in range(10) for one in (server, other)))
        began = time.monotonic()
        async with sending(settings, Told()):
            await until(lambda: not stored(settings), "all taken")
        assert time.monotonic() - began >= 18 * 0.02, "all lanes have one pace"
    finally:
        other.stop()


async def test_many_posts_need_few_connections(
    settings: Settings, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "KEPT_FOR", 60.0)
    queue_up(settings, *((f"c{number}", server.url) for number in range(5 * dispatch.AT_ONCE)))
    async with sending(settings, Told()):
        await until(lambda: not stored(settings), "all taken")
    assert server.connections <= dispatch.AT_ONCE


def test_what_is_looked_up_keeps_nobody_from_writing(settings: Settings) -> None:
    queue_up(settings, *((f"c{number}", "https://crm.example/") for number in range(100)))
    said: list[str] = []
    with closing(Jobs(settings.database_url)) as jobs:
        event.listen(jobs._writing, "before_cursor_execute", lambda *about: said.append(about[2]))
        claimed = jobs.claim(Address("webhook", "https://crm.example/"), datetime.now(UTC), 16)
    assert len(claimed) == 16
    assert [statement.split()[0] for statement in said] == ["UPDATE"]
    assert "GROUP BY" not in said[0]


async def test_what_was_sent_is_not_sent_again_for_a_slow_database(
    settings: Settings, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "PATIENCE", 1.0)
    monkeypatch.setattr(dispatch, "SETTLE_AGAIN", 0.05)
    slow, settle = [True] * 3, Jobs.settle

    def settled(self: Jobs, *args: Any) -> None:
        if slow and slow.pop():
            time.sleep(1.5)
            raise OSError("disk")
        settle(self, *args)

    monkeypatch.setattr(Jobs, "settle", settled)
    queue_up(settings, *((f"c{number}", server.url) for number in range(5)))
    async with sending(settings, Told()):
        await until(lambda: not stored(settings), "all taken")
    assert server.tries == 5


async def test_where_nobody_answers_one_job_alone_tries_again(settings: Settings, server: Server) -> None:
    server.status = lambda body: 503
    queue_up(settings, *((f"c{number}", server.url) for number in range(24)))
    async with sending(settings, Told()):
        await until(lambda: server.tries >= dispatch.AT_ONCE + 3, "three tries alone")
        tried = server.tries
        server.status = lambda body: 204
        await until(lambda: not stored(settings), "all taken")
    assert tried < dispatch.AT_ONCE + 6
    assert len(server.posts) == 24


async def test_what_a_server_does_not_want_holds_up_no_other_call(settings: Settings, server: Server) -> None:
    server.answers(lambda call: 404 if call == "c1" else 204)
    queue_up(settings, ("c1", server.url), ("c2", server.url), ("c1", server.url), ("c3", server.url))
    async with sending(settings, Told()):
        await until(lambda: len(server.posts) == 2, "the others")
        await until(lambda: any(job.tries > 2 for job in stored(settings)), "three tries")
        assert {(job.call_id, job.error) for job in stored(settings) if job.tries} == {
            ("c1", "localhost answers 404 Not Found")
        }
        assert server.of("c1") == []
        server.status = lambda body: 204
        await until(lambda: server.of("c1") == [1, 2], "both, in order")


ALWAYS = [
    ("it fails with one", 500, timedelta(hours=1)),
    ("it says that it is busy", 503, timedelta(seconds=0.05)),
]


@pytest.mark.parametrize(("status", "again"), [row[1:] for row in ALWAYS], ids=[row[0] for row in ALWAYS])
async def test_one_that_a_server_never_takes_holds_up_no_other_call(
    settings: Settings, server: Server, monkeypatch: pytest.MonkeyPatch, status: int, again: timedelta
) -> None:
    monkeypatch.setattr(dispatch, "AGAIN", (again,))
    server.answers(lambda call: status if call == "c0" else 204)
    queue_up(settings, *((f"c{number}", server.url) for number in range(2 * dispatch.AT_ONCE)))
    async with sending(settings, Told()):
        await until(lambda: len(server.posts) == 2 * dispatch.AT_ONCE - 1, "the others")
        await until(lambda: len(stored(settings)) == 1, "the others noted")
    assert server.of("c0") == []


async def test_whatever_words_a_server_has_what_others_took_is_noted(
    settings: Settings, server: Server
) -> None:
    server.answers(lambda call: 422 if call == "c1" else 204)
    server.reason = "Ung\xfcltig\x00\x1b " + "x" * 1000
    queue_up(settings, ("c1", server.url), ("c2", server.url))
    async with sending(settings, Told()):
        await until(lambda: [job.call_id for job in stored(settings) if job.error] == ["c1"], "the reason")
        await until(lambda: len(stored(settings)) == 1, "the other noted")
        await until(lambda: stored(settings)[0].tries > 1, "two tries")
    assert len(server.posts) == 1
    assert str(stored(settings)[0].error).startswith("localhost answers 422 Ung")


WORDS = [
    ("surrogates", "nicht f\udcfcr uns", "nicht f r uns"),
    ("NUL and lines", "5.1.1\r\n\x00no such", "5.1.1 no such"),
    ("more than anybody reads", "x" * 1000, "x" * 300),
    ("letters of all kinds", "gå bort 走", "gå bort 走"),
]


@pytest.mark.parametrize(("said", "kept"), [row[1:] for row in WORDS], ids=[row[0] for row in WORDS])
def test_what_is_kept_of_why(said: str, kept: str) -> None:
    assert str(RefusedError(said)) == kept


async def test_an_address_that_is_slow_holds_up_no_other(settings: Settings, server: Server) -> None:
    go_on = threading.Event()
    slow = Server()

    def wait(body: bytes) -> int:
        go_on.wait(10)
        return 204

    slow.status = wait
    slow.start()
    try:
        queue_up(settings, ("c1", slow.url), ("c1", server.url), ("c2", server.url))
        async with sending(settings, Told()):
            await until(lambda: len(server.posts) == 2, "the quick ones")
            assert slow.posts == []
            go_on.set()
            await until(lambda: slow.posts, "the slow one")
    finally:
        go_on.set()
        slow.stop()


async def test_what_nobody_takes_is_given_up_and_sent_again_by_command(
    settings: Settings, server: Server
) -> None:
    told = Told()
    server.status = lambda body: 500
    queue_up(settings, ("c1", server.url), since=datetime.now(UTC) - dispatch.GIVE_UP)
    async with sending(settings, told) as sender:
        await until(lambda: stored(settings, "dead"), "giving up")
        await until(lambda: told.figures.dead == 1, "the figures")
        assert told.figures.waiting == 0
        server.status = lambda body: 204
        with closing(Jobs(settings.database_url)) as jobs:
            assert jobs.again(datetime.now(UTC)) == 1
        sender.again()
        await until(lambda: server.posts, "the post")
    assert stored(settings, "dead") == []


async def test_by_command_an_address_that_rests_is_tried_at_once(
    settings: Settings, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "AGAIN", (timedelta(hours=1),))
    server.stop()
    queue_up(settings, ("c1", server.url))
    async with sending(settings, Told()) as sender:
        await until(lambda: any(job.tries for job in stored(settings)), "a try")
        server.start()
        queue_up(settings, ("c2", server.url))
        sender.look()
        await asyncio.sleep(0.3)
        assert server.tries == 0, "it rests"
        with closing(Jobs(settings.database_url)) as jobs:
            assert jobs.again(datetime.now(UTC)) == 2
        sender.again()
        await until(lambda: len(server.posts) == 2, "both")


async def test_a_database_in_trouble_and_what_nobody_has_thought_of_pass(
    settings: Settings, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = [KeyError("nobody knows"), OSError("disk")]

    def claim(self: Jobs, *args: Any) -> list[Job]:
        if failing:
            raise failing.pop()
        monkeypatch.undo()
        return self.claim(*args)

    monkeypatch.setattr(Jobs, "claim", claim)
    monkeypatch.setattr(dispatch, "AGAIN", (timedelta(seconds=0.05),))
    file = Path(settings.database_url.removeprefix("sqlite:///"))
    queue_up(settings, ("c1", server.url))
    away = file.with_suffix(".away")
    file.rename(away)
    async with sending(settings, Told()):
        await asyncio.sleep(0.3)
        away.rename(file)
        await until(lambda: server.posts, "the post")


async def test_a_job_that_cannot_be_read_is_kept_with_the_reason(settings: Settings, server: Server) -> None:
    queue_up(settings, ("c1", "post@fjord.example"))
    with closing(Jobs(settings.database_url)) as jobs, begin(jobs._writing) as connection:
        connection.execute(JOBS.update().values(body="{}"))
    async with sending(settings, Told()):
        await until(lambda: any(job.error for job in stored(settings)), "the reason")
    assert "ValidationError: " in str(stored(settings)[0].error)


async def test_letters_are_not_written_on_the_loop(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing: list[threading.Thread] = []

    def write(job: Job, *more: Any) -> Any:
        writing.append(threading.current_thread())
        return follow_up_mail(job, *more)

    monkeypatch.setattr(dispatch, "follow_up_mail", write)
    queue_up(settings, ("c1", "post@fjord.example"))
    async with sending(settings, Told()):
        await until(lambda: writing, "a letter")
    assert threading.main_thread() not in writing


def test_a_mail_tells_who_called_whom_and_what_became_of_it(settings: Settings) -> None:
    queue_up(settings, ("c1", "post@fjord.example"))
    [job] = stored(settings)
    letter = follow_up_mail(job, Caller(), "pbx@fjord.example", "Europe/Oslo", TAGS)
    assert (letter["To"], letter["Auto-Submitted"]) == ("post@fjord.example", "auto-generated")
    assert letter["Message-ID"] == f"<c1.{job.id}@callrouter>"
    assert letter.get_content().splitlines() == [
        "+4790000009 ringte +4722334455 2026-11-27 10:30.",
        "Ring tilbake til +4790000009.",
        "",
        "Ikke svar, reception, Varm, old one (fjord c1)",
    ]


async def test_a_mail_has_the_name_by_which_the_client_knows_the_caller(settings: Settings) -> None:
    columns = ("asterisk_id", "asterisk_started", "channel", "dialled", "rules_version")
    call = dict.fromkeys(columns, "-") | {
        "id": "c1",
        "caller": CALL["caller"],
        "arrived_at": datetime.now(UTC),
    }
    with Sinks() as sinks, closing(Jobs(settings.database_url)) as jobs:
        mail = settings.mail.model_copy(update={"port": sinks.smtp.port})
        with begin(jobs._writing) as connection:
            connection.execute(CALLS.insert().values(call | {"name": "Kari Ås"}))
        queue_up(settings, ("c1", "post@fjord.example"))
        async with sending(settings.model_copy(update={"mail": mail}), Told()):
            await asyncio.to_thread(sinks.wait, 1, 0)
    letter = email.message_from_bytes(sinks.mails[0].as_bytes(), policy=email.policy.default)
    assert letter["Subject"] == "missed: Kari Ås (+4790000009)"
    assert letter.get_content().startswith("Kari Ås (+4790000009) ringte +4722334455")


async def test_a_mail_does_not_tell_to_call_whom_nobody_is_to_call(settings: Settings) -> None:
    with Sinks() as sinks:
        mail = settings.mail.model_copy(update={"port": sinks.smtp.port})
        with closing(DoNotContacts(settings.database_url)) as entries:
            now = datetime.now(UTC)
            entries.add(DoNotContact(0, "+4790000009", "fjord", None, "rules", "tag dncme", now))
        queue_up(settings, ("c1", "post@fjord.example"))
        async with sending(settings.model_copy(update={"mail": mail}), Told()):
            await asyncio.to_thread(sinks.wait, 1, 0)
    letter = email.message_from_bytes(sinks.mails[0].as_bytes(), policy=email.policy.default)
    assert letter.get_content().splitlines()[1] == "Ingen skal ringe til +4790000009."


async def test_a_mail_server_that_refuses_whom_it_is_for_is_there(settings: Settings) -> None:
    with Sinks() as sinks:
        taking = Mail(host="127.0.0.1", port=sinks.smtp.port, tls="none", sender="pbx@fjord.example")
        with pytest.raises(RefusedError, match="refuses it for"):
            await send(b"Subject: x\r\n\r\nx", f"{'k' * 600}@fjord.example", taking)


def test_figures_become_metrics() -> None:
    now = datetime(2026, 11, 27, 10, tzinfo=UTC)
    metrics = FollowUpMetrics(lambda: now)
    metrics.tell(Figures(3, 1, now - timedelta(seconds=90), 5, 2))
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in metrics.collect()
        for sample in family.samples
    }
    assert samples == {
        ("callrouter_follow_up_jobs", "waiting"): 3,
        ("callrouter_follow_up_jobs", "dead"): 1,
        ("callrouter_follow_up_oldest_seconds",): 90,
        ("callrouter_obligations", "open"): 5,
        ("callrouter_obligations", "overdue"): 2,
    }
