"""Calendars of the web: fetched from a real server on loopback, kept, and gone by."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from router.core.dialling import Dialling
from router.core.remarks import RuleErrors
from router.core.ruleset import RuleSet
from router.edge import feeds
from router.edge.feedcopies import STALE, FeedCopies
from router.edge.feeds import LARGEST, Feeds, FetchError, fetch, onward
from router.edge.metrics import MOST_CALENDAR_CLIENTS, Metrics
from router.edge.rulesfile import RulesFile

RULES = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
hours: {office: {week: {mon-sun: "00:00-24:00"}, calendar: {url: "URL"}}}
"""
MAY, JUNE = datetime(2027, 5, 4, 10, tzinfo=UTC), datetime(2027, 6, 1, 10, tzinfo=UTC)


def closed_on(*days: datetime) -> str:
    blocks = [f"BEGIN:VEVENT\nUID:{day}\nDTSTART;VALUE=DATE:{day:%Y%m%d}\nEND:VEVENT" for day in days]
    return "\n".join(["BEGIN:VCALENDAR", *blocks, "END:VCALENDAR"])


class Server:
    """Has one calendar, and can fail in some ways."""

    def __init__(self) -> None:
        self.body: bytes = b""
        self.status = 200
        self.pause = 0.0
        self.leads_to = ""
        self.asked = 0
        self.port = 0

    def has(self, text: str) -> None:
        self.body, self.status = text.encode(), 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/secret/c.ics"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        await asyncio.sleep(self.pause)
        if self.leads_to and request.path != "/there.ics":
            return web.Response(status=302, headers={"Location": self.leads_to})
        return web.Response(status=self.status, body=self.body)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        application = web.Application()
        application.router.add_get("/{path:.*}", self.answer)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield
        finally:
            await runner.cleanup()


class Router:
    """What a router is to its calendars: rules in use, and copies on its disk."""

    def __init__(self, folder: Path, server: Server, every: float = 0.03) -> None:
        (folder / "rules").mkdir(exist_ok=True)
        (folder / "rules/fjord.yaml").write_text(RULES.replace("URL", server.url))
        self.copies = FeedCopies(folder / "state/calendars")
        self.source = RulesFile(folder / "rules", Dialling(), copies=self.copies)
        loaded = self.source.load()
        assert isinstance(loaded, RuleSet), loaded
        self.rules = loaded
        self.metrics = Metrics("1")
        self.refreshed = 0
        self.slept = 0.0
        self.feeds = Feeds(
            self.copies,
            every,
            lambda: self.rules,
            self.refresh,
            self.metrics,
            lambda: time.time() + self.slept,
        )

    async def refresh(self) -> None:
        outcome = await asyncio.to_thread(self.source.again)
        assert isinstance(outcome, RuleSet), outcome
        self.rules = outcome
        self.refreshed += 1
        self.feeds.look()

    def is_open(self, at: datetime) -> bool:
        return self.rules.clients["fjord"].hours["office"].is_open(at)

    def value(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    @property
    def age(self) -> float:
        return self.value("callrouter_calendar_age_seconds", client="fjord")

    def failures(self, reason: str) -> float:
        return self.value("callrouter_calendar_failures_total", reason=reason)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.feeds.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def until(true: Callable[[], object], within: float = 5.0) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[MutableMapping[str, Any]]]:
    monkeypatch.setattr(feeds, "RETRY", 0.03)
    with capture_logs() as entries:
        yield entries


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    made.has(closed_on(MAY))
    async with made.listening():
        yield made


async def test_a_calendar_is_fetched_and_gone_by(tmp_path: Path, server: Server) -> None:
    router = Router(tmp_path, server)
    assert router.is_open(MAY)
    assert router.age == float("inf")
    async with router.running():
        await until(lambda: not router.is_open(MAY))
        assert 0 <= router.age < 5
        server.has(closed_on(JUNE))
        await until(lambda: not router.is_open(JUNE))
        assert router.is_open(MAY)
        asked, refreshed = server.asked, router.refreshed
        await until(lambda: server.asked > asked + 2)
        assert router.refreshed == refreshed


async def test_down_at_the_start_and_then_up(tmp_path: Path, logged: list[MutableMapping[str, Any]]) -> None:
    server = Server()
    server.has(closed_on(MAY))
    async with server.listening():
        pass  # Its port stays free for it, and nobody is there.
    router = Router(tmp_path, server)
    async with router.running():
        await until(lambda: router.failures("unreachable") >= 2)
        assert router.is_open(MAY)
        async with server.listening():
            await until(lambda: not router.is_open(MAY))
    failed, again = logged[0], [entry for entry in logged if entry["event"] == "calendar fetched again"]
    assert (failed["event"], failed["log_level"]) == ("calendar not fetched", "warning")
    assert (failed["host"], failed["clients"], failed["last_good"]) == ("127.0.0.1", ["fjord"], None)
    assert len(again) == 1
    assert not any("secret" in str(entry) for entry in logged)


BAD: list[tuple[str, Callable[[Server], None], str]] = [
    ("a page", lambda server: server.has("<html>"), "no calendar"),
    ("not UTF-8", lambda server: setattr(server, "body", b"\xff"), "no calendar"),
    ("too much that recurs", lambda server: server.has(_endless()), "no calendar"),
    ("too large", lambda server: server.has("x" * (LARGEST + 1)), "too large"),
    ("gone", lambda server: setattr(server, "status", 404), "status"),
    ("slow", lambda server: setattr(server, "pause", 60.0), "timeout"),
    ("elsewhere", lambda server: setattr(server, "leads_to", "http://localhost:1/"), "redirect"),
    ("nowhere", lambda server: setattr(server, "leads_to", "http://[/"), "unreachable"),
    ("in a circle", lambda server: setattr(server, "leads_to", "again.ics"), "redirect"),
]


def _endless() -> str:
    many = ",".join(map(str, range(1, 90)))
    rule = f"RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;BYYEARDAY={many}"
    event = f"BEGIN:VEVENT\nDTSTART;VALUE=DATE:20270101\n{rule}\nEND:VEVENT"
    return f"BEGIN:VCALENDAR\n{event}\nEND:VCALENDAR"


@pytest.mark.parametrize(("turn_bad", "reason"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
async def test_the_last_good_copy_counts_after_a_restart_too(
    tmp_path: Path,
    server: Server,
    turn_bad: Callable[[Server], None],
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    router = Router(tmp_path, server)
    async with router.running():
        await until(lambda: not router.is_open(MAY))
        monkeypatch.setattr(feeds, "LIMIT", 0.2)
        turn_bad(server)
    restarted = Router(tmp_path, server)
    assert not restarted.is_open(MAY)
    async with restarted.running():
        await until(lambda: restarted.failures(reason))
        assert not restarted.is_open(MAY)
        assert 0 <= restarted.age < 60


async def test_a_redirect_on_the_same_host_is_followed(tmp_path: Path, server: Server) -> None:
    server.leads_to = "/there.ics"
    router = Router(tmp_path, server)
    async with router.running():
        await until(lambda: not router.is_open(MAY))


def test_from_https_no_redirect_leads_to_http() -> None:
    with pytest.raises(FetchError):
        onward("https://x.example/a", "http://x.example/b")


async def test_an_address_that_cannot_be_is_not_reached() -> None:
    async with aiohttp.ClientSession() as session:
        for address in ("http://x.example:99999/", f"http://{'x' * 70}.example/"):
            with pytest.raises(FetchError, match="it cannot be reached"):
                await fetch(session, address)


async def test_a_copy_that_cannot_be_kept_is_a_failure(tmp_path: Path, server: Server) -> None:
    (tmp_path / "state").write_text("no folder")
    router = Router(tmp_path, server)
    async with router.running():
        await until(lambda: router.failures("not kept"))
    assert router.is_open(MAY)


async def test_a_fault_of_our_own_ends_nothing(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*arguments: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(feeds, "read_feed", breaks)
    router = Router(tmp_path, server)
    async with router.running():
        await until(lambda: router.failures("fault") >= 2)


async def test_rules_that_name_another_have_it_fetched_at_once(tmp_path: Path, server: Server) -> None:
    router = Router(tmp_path, server, every=3600.0)
    async with router.running():
        await until(lambda: not router.is_open(MAY))
        server.has(closed_on(JUNE))
        (tmp_path / "rules/fjord.yaml").write_text(RULES.replace("URL", server.url + "?other"))
        loaded = router.source.load()
        assert isinstance(loaded, RuleSet)
        router.rules = loaded
        router.feeds.look()
        await until(lambda: not router.is_open(JUNE))


async def test_the_day_moves_on(tmp_path: Path, server: Server) -> None:
    router = Router(tmp_path, server, every=0.05)
    async with router.running():
        await until(lambda: router.refreshed == 1)
        router.slept = 86400.0
        await until(lambda: router.refreshed == 2)


def test_only_files_as_they_were_read_are_gone_by(tmp_path: Path) -> None:
    server = Server()
    router = Router(tmp_path, server)
    (tmp_path / "rules/fjord.yaml").write_text("half wri")
    again = router.source.again()
    assert isinstance(again, RuleSet)
    assert isinstance(router.source.load(), RuleErrors)
    (tmp_path / "rules/fjord.yaml").write_text(RULES.partition("hours:")[0])
    assert isinstance(router.source.load(), RuleSet)
    assert router.source.again() is None


def test_copies_are_for_their_owner_and_forgotten_when_nobody_names_them(tmp_path: Path) -> None:
    copies = FeedCopies(tmp_path / "calendars")
    assert copies.read() == {}
    copies.keep("https://a.example", "a")
    copies.keep("https://b.example", "b")
    files = sorted((tmp_path / "calendars").iterdir())
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert (tmp_path / "calendars").stat().st_mode & 0o777 == 0o700
    copies.forget(set())
    assert copies.read() == {"https://a.example": "a", "https://b.example": "b"}
    old = time.time() - STALE - 1
    for file in files:
        os.utime(file, (old, old))
    copies.forget({"https://b.example"})
    assert copies.read() == {"https://b.example": "b"}
    (tmp_path / "calendars/other.json").write_text("{")
    assert copies.fetched() == {"https://b.example": pytest.approx(old)}


def test_clients_past_the_limit_share_the_oldest_age() -> None:
    metrics = Metrics("1")
    metrics.watch_calendars(lambda: {f"c{age}": float(age) for age in range(MOST_CALENDAR_CLIENTS + 3)})
    value = metrics.registry.get_sample_value
    assert value("callrouter_calendar_age_seconds", {"client": "c1"}) == 1
    assert value("callrouter_calendar_age_seconds", {"client": "other"}) == MOST_CALENDAR_CLIENTS + 2
