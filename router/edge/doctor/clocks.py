"""Do the clocks agree, and are the rules of the world's clocks known, and new enough?"""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, ZoneInfoNotFoundError

import msgspec

from router.core.findings import Finding, error, ok, warning
from router.edge.doctor.visit import CannotTellError, Visit, aside

OFF = 2.0
"""Seconds that clocks may differ."""
FAR_OFF = 60.0
"""Seconds from which on callers meet other hours than are meant."""
OLD_YEARS = 2
"""Zone data of so many years before this one is old: some country has changed its clocks since."""


class _Pong(msgspec.Struct, frozen=True):
    timestamp: str


async def asterisk(visit: Visit) -> AsyncIterator[Finding]:
    """Asterisk's clock against ours."""
    before = visit.now()
    pong = await visit.get("asterisk/ping", _Pong)
    after = visit.now()
    if pong is None:
        raise CannotTellError("Asterisk's clock: it does not know `asterisk/ping`")
    theirs = datetime.fromisoformat(pong.timestamp)
    yield difference("Asterisk", theirs, before, after)


def difference(whose: str, theirs: datetime, before: datetime, after: datetime) -> Finding:
    """A clock against ours, which showed `before` and `after` when it was asked and had answered."""
    # Told in whole milliseconds.
    ahead = max((theirs - after).total_seconds(), (before - theirs).total_seconds() - 0.001, 0.0)
    if ahead < OFF:
        return ok(f"{whose}'s clock and ours agree")
    way = "ahead of" if theirs > after else "behind"
    what = f"{whose}'s clock is {ahead:.0f} s {way} ours"
    severity = error if ahead >= FAR_OFF else warning
    return severity(what, "have both follow NTP: apt install chrony, then: chronyc tracking")


async def zones(visit: Visit) -> AsyncIterator[Finding]:
    """The zones of all clients."""
    rules, now = visit.rules, visit.now()
    for finding in await aside(lambda: list(_zones({one.timezone for one in rules.clients.values()}, now))):
        yield finding


def _zones(wanted: set[str], now: datetime) -> Iterator[Finding]:
    unknown = []
    for name in sorted(wanted):
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            unknown.append(name)
            yield error(f"this machine does not know the zone {name}", "apt install tzdata")
    found, where = zone_data()
    if not found:
        return
    year = int(found[:4])
    if year <= now.year - OLD_YEARS - 1:
        what = f"zone data is of {found}: clocks that were changed since are not known"
        yield warning(what, "apt install tzdata, or pip install -U tzdata", where)
    elif not unknown:
        yield ok(f"{len(wanted)} zone(s) of clients are known, from zone data of {found}", where)


def zone_data() -> tuple[str, str]:
    """Which zone data is used, as in `2026b`, and where it is; empty where it does not say."""
    for folder in map(Path, TZPATH):
        for name in ("tzdata.zi", "+VERSION"):
            with suppress(OSError):
                found = re.search(r"\d{4}[a-z]+", (folder / name).read_text(errors="replace")[:200])
                if found:
                    return found[0], str(folder)
    with suppress(PackageNotFoundError, ModuleNotFoundError):
        year, _, number = version("tzdata").partition(".")
        return f"{year}.{number}", str(files("tzdata"))
    return "", ""
