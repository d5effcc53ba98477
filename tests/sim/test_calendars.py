"""Calendars while the router runs: one of the web that changes, and those of holidays."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from router.app import SPEAK_EVERY, look_ahead
from router.core.dialling import Dialling
from router.core.hours import _holidays_of
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.edge import feeds
from tests.sim.router import CLOSED, routing
from tests.sim.stories import talk, told

RULES = """\
client: fjord
name: Fjord Legesenter
numbers: ["+47223344xx"]
timezone: Europe/Oslo
country: NO
hours: {office: {week: {mon-sun: "00:00-24:00"}, calendar: {url: "URL"}}}
routes:
  - {name: closed, when: {closed: office}, do: [{say: {file: "sound:closed"}}, hangup]}
  - {name: open, do: [{ring: PJSIP/kari}]}
"""

WITH_HOLIDAYS = RULES.replace('calendar: {url: "URL"}', "holidays: IS")


def calendar(closed: bool) -> bytes:
    begins, ends = (datetime.now(UTC) + timedelta(days=days) for days in (-1, 1))
    lasting = f"DTSTART:{begins:%Y%m%dT%H%M%SZ}\nDTEND:{ends:%Y%m%dT%H%M%SZ}"
    event = f"BEGIN:VEVENT\n{lasting}\nEND:VEVENT\n" if closed else ""
    return f"BEGIN:VCALENDAR\n{event}END:VCALENDAR\n".encode()


async def test_a_calendar_that_changes_changes_where_calls_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "RETRY", 0.05)
    has = [b"not yet"]

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=has[0])

    application = web.Application()
    application.router.add_get("/closed.ics", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    rules = RULES.replace("URL", f"http://127.0.0.1:{runner.addresses[0][1]}/closed.ics")
    try:
        async with routing(tmp_path) as (asterisk, router):
            router.write_rules(rules)
            assert "was never fetched" in (await asyncio.to_thread(router.command, "check")).stderr
            assert (await asyncio.to_thread(router.command, "reload")).exit_code == 0
            open_caller = await talk(asterisk)
            before = await router.metric("callrouter_rules_loaded_timestamp_seconds")
            router.write_rules("half writ")
            has[0] = calendar(closed=True)
            while await router.metric("callrouter_rules_loaded_timestamp_seconds") == before:
                await asyncio.sleep(0.005)
            asterisk.call(CLOSED)
            assert told(await router.record(CLOSED)) == ("informed", "closing", "router")
            assert open_caller.state == "Up"
            open_caller.hang_up()
            first, second = await router.all_over(2)
            assert first.info.rules_version != second.info.rules_version
            assert 0 <= await router.metric("callrouter_calendar_age_seconds", client="fjord") < 60
            assert await router.metric("callrouter_calendar_failures_total", reason="no calendar") >= 1
    finally:
        await runner.cleanup()


def test_no_caller_waits_for_the_holidays_of_a_year() -> None:
    """At its end, those of the next are needed before it begins."""
    rules = compile_rules({"fjord.yaml": WITH_HOLIDAYS}, Dialling("PJSIP/{number}@trunk"))
    assert isinstance(rules, RuleSet), rules
    new_year = datetime(2031, 1, 1, 12, tzinfo=UTC)
    look_ahead(rules, new_year - timedelta(hours=12, seconds=SPEAK_EVERY))
    worked_out = _holidays_of.cache_info().misses
    assert not rules.clients["fjord"].hours["office"].is_open(new_year), "a holiday"
    assert _holidays_of.cache_info().misses == worked_out
