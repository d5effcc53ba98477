"""The calendars that rules name: files beside the rules, and those of the web of which there is a copy.

A calendar is read once for all who name it, and once more by clocks for each time zone and each meaning.
What cannot be read of a file is an error of the rules that name it. A copy is what others wrote, at any time:
where there is none, or none that can be used, hours are as without it, and a warning says so.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from router.core.hours import Occasions
from router.core.occurrences import Feed, read_feed
from router.core.remarks import RuleWarning
from router.core.tables import Tables, find_calendar

AHEAD = timedelta(days=4_100)
"""How far ahead of a day what recurs is worked out: farther than any command looks."""
TOLD = 5
"""Events of a calendar that are told of one by one."""


class Fetched(msgspec.Struct, frozen=True):
    """What is known besides the files."""

    horizon: datetime
    """What recurs is worked out until then."""
    copies: Mapping[str, str] = {}
    """URL -> the text that was fetched last."""


def horizon(now: datetime) -> datetime:
    """As far ahead as anybody looks; a whole day, so that it is the same all day long."""
    return datetime.combine(now.astimezone(UTC), time(), UTC) + AHEAD


NOTHING_FETCHED = Fetched(datetime(1970, 1, 1, tzinfo=UTC))


class Source(NamedTuple):
    """A calendar as a client's hours name it."""

    name: str
    """A URL, or a file as the tables have it."""
    is_url: bool
    opens: bool
    """Whether its events mean open; else closed."""

    @property
    def words(self) -> str:
        """`closed by calendars/holidays.ics`."""
        return f"{'open' if self.opens else 'closed'} by {host_of(self.name) if self.is_url else self.name}"


def host_of(url: str) -> str:
    """What is shown of a URL: many have a secret in their path."""
    return urlsplit(url).hostname or ""


class Calendars:
    """All calendars that rules refer to. `folder` is put before the names of files where they are told of."""

    def __init__(self, tables: Tables, folder: str = "", fetched: Fetched = NOTHING_FETCHED) -> None:
        self._tables = tables
        self._folder = folder
        self._fetched = fetched
        self._files: dict[str, tuple[str, Feed] | str] = {}
        """By the name as a rule has it: the name as the tables have it and its events, or what is wrong."""
        self._urls: dict[str, Feed | str] = {}
        self._occasions: dict[tuple[tuple[Source, ...], str], Occasions] = {}

    def find(self, file: str) -> str:
        """The file's name as the tables have it. ValueError says why there is no such calendar."""
        return self._file(file)[0]

    def missing(self, url: str) -> str:
        """Why hours are as without this calendar, `what; what to do`; empty where they are not."""
        feed = self._url(url)
        return feed if isinstance(feed, str) else ""

    def occasions(self, sources: tuple[Source, ...], zone: ZoneInfo) -> Occasions:
        """What these calendars say, in this order, to a client whose clocks are in `zone`. The same object
        for the same."""
        key = (sources, zone.key)
        if key not in self._occasions:
            if len(sources) == 1:
                periods = self._feed(sources[0]).periods(zone)
                self._occasions[key] = Occasions.of(periods, sources[0].opens, sources[0].words)
            else:
                self._occasions[key] = Occasions.first([self.occasions((one,), zone) for one in sources])
        return self._occasions[key]

    def warnings(self) -> set[RuleWarning]:
        """All that is told of events."""
        files = dict(one for one in self._files.values() if not isinstance(one, str))
        found = set(_told((self._folder + name, feed) for name, feed in files.items()))
        return found.union(
            _told((host_of(url), one) for url, one in self._urls.items() if isinstance(one, Feed))
        )

    def copies(self) -> dict[str, str]:
        """The copies that rules refer to."""
        return {url: text for url, text in self._fetched.copies.items() if url in self._urls}

    def _feed(self, source: Source) -> Feed:
        if not source.is_url:
            return self._file(source.name)[1]
        feed = self._url(source.name)
        return Feed((), (), ()) if isinstance(feed, str) else feed

    def _file(self, file: str) -> tuple[str, Feed]:
        if file not in self._files:
            try:
                name, text = find_calendar(file, self._tables)
                known = self._file(name) if name != file else (name, self._read(name, text))
                self._files[file] = known
            except ValueError as error:
                self._files[file] = str(error)
        found = self._files[file]
        if isinstance(found, str):
            raise ValueError(found)
        return found

    def _read(self, name: str, text: str) -> Feed:
        try:
            return read_feed(text, self._fetched.horizon)
        except ValueError as error:
            raise ValueError(f"`{name}`: {error}") from None

    def _url(self, url: str) -> Feed | str:
        if url not in self._urls:
            self._urls[url] = self._copy(url)
        return self._urls[url]

    def _copy(self, url: str) -> Feed | str:
        text = self._fetched.copies.get(url)
        if text is None:
            what = f"the calendar at {host_of(url)} was never fetched, so these hours are as without it"
            return f"{what}; let a router with these rules reach it"
        try:
            return read_feed(text, self._fetched.horizon)
        except ValueError as error:
            what, _, instead = str(error).partition("; ")
            unused = (
                f"the calendar at {host_of(url)} cannot be used ({what}), so these hours are as without it"
            )
            return f"{unused}; {instead}"


NO_CALENDARS = Calendars({})
"""For documents that refer to none."""


def _told(feeds: Iterable[tuple[str, Feed]]) -> Iterator[RuleWarning]:
    for name, feed in feeds:
        yield from (RuleWarning.of((name, line, 1), remark) for line, remark in feed.remarks[:TOLD])
        if len(feed.remarks) > TOLD:
            line, more = feed.remarks[TOLD][0], len(feed.remarks) - TOLD
            what = f"this event, and {more} in all after those named, have something wrong; correct them"
            yield RuleWarning.of((name, line, 1), what)
