"""The API of a whole router: calls are seen as they happen, and what is ordered there counts for the next."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.harness.asker import Asker, Listener
from tests.sim.asterisk import FakeAsterisk
from tests.sim.phones import ANSWERS, RINGS_ON
from tests.sim.router import ONE, QUEUE, Router, until
from tests.sim.stories import talking

KARI, LISE, SIRI = "PJSIP/kari", "PJSIP/lise", "PJSIP/siri"


TOLD = ("call.arrived", "call.ringing", "call.answered", "call.ended")


@asynccontextmanager
async def listening(asker: Asker, query: str, token: str, **headers: str) -> AsyncIterator[Listener]:
    """Somebody listens; who asks waits, so not on the loop, which answers."""
    entered = asker.listening(query, token, **headers)
    yield await asyncio.to_thread(entered.__enter__)
    await asyncio.to_thread(entered.__exit__, None, None, None)


async def token(router: Router, role: str) -> str:
    """A new one."""
    made = await asyncio.to_thread(router.command, "token", "create", role, "--role", role)
    assert made.exit_code == 0, made.output
    return str(made.stdout.strip())


async def test_a_call_is_seen_live_told_and_written_down(asterisk: FakeAsterisk, router: Router) -> None:
    asker, reader = Asker(router.port), await token(router, "reader")
    asterisk.phones = {KARI: RINGS_ON}

    async def live() -> list[tuple[str, str | None]]:
        answer = await asyncio.to_thread(asker.ask, "/live", reader)
        return [(call["state"], call["talks_with"]) for call in answer.body["items"]]

    async with listening(asker, f"?type={'&type='.join(TOLD)}", reader) as listener:
        await asyncio.to_thread(listener.hears)
        caller = asterisk.call(ONE)
        assert [one.type for one in await asyncio.to_thread(listener.events, 2)] == [
            "call.arrived", "call.ringing",
        ]  # fmt: skip
        assert await live() == [("ringing", None)]
        asterisk.answer(asterisk.legs(KARI)[0])
        assert [one.type for one in await asyncio.to_thread(listener.events, 1)] == ["call.answered"]
        assert await live() == [("talking", KARI)]
        last = listener.last
    caller.hang_up()
    record = await router.record(ONE)
    async with listening(asker, "", reader, Last_Event_ID=str(last)) as listener:
        (ended,) = await asyncio.to_thread(listener.events, 1)
    assert (ended.type, ended.data["call"]["id"], ended.data["disposition"]) == (
        "call.ended", record.info.id, "answered",
    )  # fmt: skip
    written = (await asyncio.to_thread(asker.ask, f"/calls/{record.info.id}", reader)).body
    assert (written["disposition"], written["answered_by"]) == ("answered", KARI)
    assert await live() == []


async def test_who_is_paused_is_not_rung_and_rules_are_read_again(
    asterisk: FakeAsterisk, router: Router
) -> None:
    asker, boss = Asker(router.port), await token(router, "admin")

    async def order(path: str) -> dict[str, object]:
        return dict((await asyncio.to_thread(asker.ask, path, boss, method="POST", body={})).body)

    asterisk.phones = {LISE: RINGS_ON, SIRI: ANSWERS}
    assert (await order("/agents/fjord/lise/pause"))["state"] == "paused"
    caller = asterisk.call(QUEUE)
    await until(lambda: talking(asterisk), what="siri answers")
    assert asterisk.legs(LISE) == []
    caller.hang_up()
    record = await router.record(QUEUE)
    assert [attempt.target for attempt in record.attempts] == ["siri"]
    agents = (await asyncio.to_thread(asker.ask, "/agents", boss)).body["items"]
    assert {agent["person"]: agent["reason"] for agent in agents}["lise"] == "pause"
    assert (await order("/rules/reload"))["clients"] == 2
    assert (await asyncio.to_thread(router.command, "token", "revoke", "admin")).exit_code == 0
    assert (await asyncio.to_thread(asker.ask, "/rules", boss)).status == 401
