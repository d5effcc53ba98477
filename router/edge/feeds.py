"""Fetches the calendars of the web, aside, and has the rules go by what came.

Each that a rule names is fetched at start and again every so often; one that failed, sooner. What came is
kept as the last good copy if it can be read, and otherwise the copy before stays. Nothing waits for this, and
calls least: rules are compiled again with the new copies and come into use as a whole, as by a reload.

What recurs is worked out until some years after the day on which rules are compiled, so they are once a day
even where nothing came.
"""

import asyncio
import time
from collections.abc import AsyncIterable, Awaitable, Callable
from datetime import UTC, datetime
from math import inf
from urllib.parse import urljoin, urlsplit

import aiohttp
import structlog

from router.core.feeds import horizon, host_of
from router.core.occurrences import read_feed
from router.core.ruleset import RuleSet
from router.edge.feedcopies import FeedCopies
from router.edge.metrics import Metrics

log = structlog.get_logger()

RETRY = 60.0
"""Seconds until a calendar is fetched again that could not be; each time twice as long."""
LIMIT = 30.0
"""Seconds that one may take."""
LARGEST = 1_000_000
"""Bytes."""
MOST_REDIRECTS = 3
AT_ONCE = 4
LONGEST_WAIT = 3600.0
"""Seconds between two looks at what is due, and at the day."""
DAY = 86400
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class FetchError(Exception):
    """There is no calendar to be had; its text says why, for people, and `reason` for metrics."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Feeds:
    """The calendars of the web that the rules in use name."""

    def __init__(
        self,
        copies: FeedCopies,
        every: float,
        rules: Callable[[], RuleSet],
        refresh: Callable[[], Awaitable[None]],
        metrics: Metrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`every` so many seconds each is fetched; `refresh` has the rules go by new copies; `clock` gives
        seconds since 1970."""
        self._copies = copies
        self._every = every
        self._rules = rules
        self._refresh = refresh
        self._metrics = metrics
        self._clock = clock
        self._texts: dict[str, str] = {}
        self._fetched: dict[str, float] = {}
        """URL -> when, in seconds since 1970."""
        self._due: dict[str, float] = {}
        """URL -> when it is fetched again, by the loop's clock."""
        self._failed_before: dict[str, int] = {}
        """URL -> how often in a row."""
        self._rules_changed = asyncio.Event()
        metrics.watch_calendars(self.ages)

    def look(self) -> None:
        """The rules have changed: fetch what they name and none did before."""
        self._rules_changed.set()

    def ages(self) -> dict[str, float]:
        """Client -> seconds since the one of its calendars was fetched for which that is longest ago."""
        now = self._clock()
        return {
            client.id: max(now - self._fetched.get(feed.url, -inf) for feed in client.feeds)
            for client in self._rules().clients.values()
            if client.feeds
        }

    async def run(self) -> None:
        """For ever."""
        self._texts, self._fetched = await asyncio.to_thread(self._known)
        day = self._clock() // DAY
        async with aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=LIMIT),
            headers={"Accept": "text/calendar", "Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # A small answer must not become a large one.
        ) as session:
            while True:
                self._rules_changed.clear()
                changed = await self._round(session)
                today = self._clock() // DAY
                if changed or today != day:
                    day = today
                    await self._refresh()
                await self._wait()

    def _known(self) -> tuple[dict[str, str], dict[str, float]]:
        return self._copies.read(), self._copies.fetched()

    async def _wait(self) -> None:
        """Until something is due, or the rules change."""
        loop = asyncio.get_running_loop()
        due = [self._due.get(url, 0.0) for url in self._named()]
        wait = min([LONGEST_WAIT, *(at - loop.time() for at in due)])
        try:
            async with asyncio.timeout(max(wait, 0.0)):
                await self._rules_changed.wait()
        except TimeoutError:
            return

    def _named(self) -> set[str]:
        return {feed.url for client in self._rules().clients.values() for feed in client.feeds}

    async def _round(self, session: aiohttp.ClientSession) -> bool:
        """Fetch what is due; whether something is new."""
        named, now = self._named(), asyncio.get_running_loop().time()
        due = sorted(url for url in named if self._due.get(url, now) <= now)
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(url: str) -> bool:
            async with slots:
                return await self._take(session, url)

        changed = await asyncio.gather(*map(one, due))
        if due:
            await asyncio.to_thread(self._copies.forget, named)
        return any(changed)

    async def _take(self, session: aiohttp.ClientSession, url: str) -> bool:
        """Fetch one and keep it; whether it is new."""
        loop = asyncio.get_running_loop()
        known = self._texts.get(url)
        try:
            text = await fetch(session, url)
            await asyncio.to_thread(self._keep, url, text, text != known)
        except FetchError as error:
            self._failed(url, error)
            return False
        except Exception:  # A fault of ours must not end the calls in flight.
            log.exception("calendar not fetched")
            self._failed(url, FetchError("fault", "by a fault of callrouter's own; see the log"))
            return False
        self._due[url] = loop.time() + self._every
        self._texts[url], self._fetched[url] = text, self._clock()
        if self._failed_before.pop(url, 0):
            log.info("calendar fetched again", **self._named_in_logs(url))
        return text != known

    def _failed(self, url: str, error: FetchError) -> None:
        before = self._failed_before.get(url, 0)
        self._failed_before[url] = min(before + 1, 16)  # By then it is as rare as can be.
        self._due[url] = asyncio.get_running_loop().time() + min(RETRY * 2**before, self._every)
        self._metrics.calendar_failed(error.reason)
        last_good = _moment(self._fetched.get(url))
        log.warning("calendar not fetched", **self._named_in_logs(url), error=str(error), last_good=last_good)

    def _keep(self, url: str, text: str, new: bool) -> None:
        try:
            if new:
                read_feed(text, horizon(datetime.now(UTC)))
            self._copies.keep(url, text)
        except ValueError as error:
            raise FetchError("no calendar", str(error).partition("; ")[0]) from None
        except OSError as error:
            raise FetchError("not kept", f"its copy cannot be kept ({error.strerror})") from error

    def _named_in_logs(self, url: str) -> dict[str, object]:
        """By host and clients: the rest of the address may be a secret."""
        clients = self._rules().clients.values()
        using = [client.id for client in clients if any(feed.url == url for feed in client.feeds)]
        return {"host": host_of(url), "clients": using[:10]}


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


async def fetch(session: aiohttp.ClientSession, url: str) -> str:
    """The text at an address. FetchError says why there is none."""
    try:
        for _ in range(MOST_REDIRECTS + 1):
            async with session.get(url, allow_redirects=False) as reply:
                if reply.status in _REDIRECTS:
                    url = onward(url, reply.headers.get("Location", ""))
                    continue
                if reply.status != 200:
                    raise FetchError("status", f"the answer is {reply.status} {reply.reason}")
                return (await _body(reply.content.iter_any())).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FetchError("no calendar", "this is not UTF-8") from None
    except TimeoutError:
        raise FetchError("timeout", f"nothing whole came within {LIMIT:g} s") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: a host or port that cannot be.
        raise FetchError("unreachable", f"it cannot be reached ({type(error).__name__})") from None
    raise FetchError("redirect", f"it leads on more than {MOST_REDIRECTS} times")


def onward(url: str, location: str) -> str:
    """Where a redirect leads: on the same host, and never from https to http. FetchError for elsewhere."""
    there = urljoin(url, location)
    before, after = urlsplit(url), urlsplit(there)
    if before.hostname != after.hostname or after.scheme not in {before.scheme, "https"}:
        raise FetchError("redirect", "it leads to another host; write the address there into the rules")
    return there


async def _body(chunks: AsyncIterable[bytes]) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > LARGEST:
            raise FetchError("too large", f"it is larger than {LARGEST} bytes")
    return bytes(body)
