"""What other systems hear of calls and may have done, by MQTT: the whole daemon with a real Mosquitto."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from router.edge import mqtt
from tests.harness.broker import Broker, Reader
from tests.sim.asterisk import FakeAsterisk
from tests.sim.phones import BUSY, RINGS_ON
from tests.sim.router import KARIS, QUEUE, RULES, Router, routing, until
from tests.sim.stories import rings

LISE, SIRI = "PJSIP/lise", "PJSIP/siri"
COMMANDS = ["agents", "tags", "reload"]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "STANDINGS_EVERY", 0.05)


@pytest.fixture
async def both(tmp_path: Path, broker: Broker) -> AsyncIterator[tuple[FakeAsterisk, Router]]:
    async with routing(tmp_path, mqtt=broker.settings(commands=COMMANDS)) as made:
        yield made


@pytest.fixture
async def reader(broker: Broker, router: Router) -> AsyncIterator[Reader]:
    with Reader(broker) as made:
        await until(lambda: made.at("routers/one/status") == status("online"))
        yield made


def status(state: str) -> dict[str, Any]:
    return {"state": state, "asterisk": state != "offline", "version": "0.1.0"}


async def answer_to(reader: Reader, topic: str, body: object) -> Any:
    reader.heard.clear()
    await asyncio.to_thread(reader.command, topic, body)
    await until(lambda: reader.at("answers/crm"), what="an answer")
    return reader.at("answers/crm")


async def test_a_call_is_told_as_it_goes_on(asterisk: FakeAsterisk, router: Router, reader: Reader) -> None:
    asterisk.phones = {LISE: BUSY, SIRI: RINGS_ON}
    caller = asterisk.call(QUEUE)
    await until(lambda: rings("Ringing")(asterisk), what="siri rings, after lise was busy")
    await until(lambda: reader.at("queues/fjord/desk")["waiting"] == 1)
    [siri] = asterisk.legs(SIRI)
    asterisk.answer(siri)
    await until(lambda: reader.at("agents/fjord/siri")["state"] == "talking")
    caller.hang_up()
    await router.record(QUEUE)
    await until(lambda: reader.at("events/fjord/call/ended"))
    told = reader.events()
    assert [one["type"].removeprefix("call.") for one in told] == [
        "arrived",
        "routed",
        "queued",
        "ringing",
        "answered",
        "ended",
    ]
    assert (told[3]["target"], told[4]["by"], told[5]["answered_by"]) == ("siri", "siri", "siri")
    assert len({one["call"]["id"] for one in told}) == 1


async def test_an_agent_who_is_paused_by_command_is_not_rung(
    asterisk: FakeAsterisk, router: Router, reader: Reader
) -> None:
    asterisk.phones = {LISE: RINGS_ON, SIRI: RINGS_ON}
    assert await answer_to(reader, "agents/fjord/lise", {"do": "pause", "who": "crm"}) == {"done": True}
    await until(lambda: reader.at("events/fjord/agent/changed"))
    changed = reader.at("events/fjord/agent/changed")
    assert (changed["person"], changed["change"], changed["who"]) == ("lise", "paused", "crm")
    caller = asterisk.call(QUEUE)
    await until(lambda: rings("Ringing")(asterisk))
    assert (asterisk.legs(LISE), len(asterisk.legs(SIRI))) == ([], 1)
    caller.hang_up()
    await router.record(QUEUE)
    assert await answer_to(reader, "agents/fjord/siri", {"do": "resume"}) == {
        "done": True,
        "remark": "siri was not paused",
    }
    out = "lise is logged out; `callrouter agents login lise`"
    assert await answer_to(reader, "agents/fjord/lise", {"do": "logout"}) == {"done": True}
    assert await answer_to(reader, "agents/fjord/lise", {"do": "pause"}) == {"done": False, "error": out}
    assert await answer_to(reader, "agents/fjord/lise", {"do": "resume"}) == {"done": True, "remark": out}
    refused = await answer_to(reader, "agents/fjord/lisa", {"do": "pause"})
    assert refused == {"done": False, "error": "`fjord` has no agent `lisa`; did you mean `lise`?"}
    refused = await answer_to(reader, "agents/fjor/lise", {"do": "pause"})
    assert refused["error"] == "`fjor` has no agent `lise`; `callrouter agents` lists them"


async def test_a_call_is_tagged_by_command(asterisk: FakeAsterisk, router: Router, reader: Reader) -> None:
    asterisk.call(KARIS).hang_up()
    record = await router.record(KARIS)
    order = {"tag": "wrong_number", "who": "crm"}
    assert await answer_to(reader, f"tags/{record.info.id}", order) == {"done": True}
    await until(lambda: reader.at("events/fjord/call/tagged"))
    tagged = reader.at("events/fjord/call/tagged")
    assert (tagged["tag"], tagged["who"], tagged["way"]) == ("wrong_number", "crm", "mqtt")
    assert tagged["call"]["id"] == record.info.id
    misspelt = await answer_to(reader, f"tags/{record.info.id}", {"tag": "wrong_numbr"})
    assert misspelt == {
        "done": False,
        "error": "no tag of fjord is called `wrong_numbr`; did you mean `wrong_number`?",
    }
    off = {"tag": "wrong_number", "remove": True}
    for _ in "12":
        assert await answer_to(reader, f"tags/{record.info.id}", order) == {"done": True}
    assert await answer_to(reader, f"tags/{record.info.id}", off) == {"done": True}
    await until(lambda: reader.at("events/fjord/call/tagged"))
    assert reader.at("events/fjord/call/tagged")["removed"], "who says it again says nothing"
    rows = (await asyncio.to_thread(router.command, "tags", "--call", record.info.id, "--json")).stdout
    assert [json.loads(row)["removed"] for row in rows.splitlines()] == [False, True]
    assert "is not tagged with" in (await answer_to(reader, f"tags/{record.info.id}", off))["error"]
    refused = await answer_to(reader, f"tags/{record.info.id}", {"tag": "booking\0", "remove": True})
    assert "is not tagged with" in refused["error"]
    assert "no call" in (await answer_to(reader, f"tags/{record.info.id[:4]}", order))["error"]
    refused = await answer_to(reader, "tags/none", {"tag": "wrong_number"})
    assert refused["error"] == "no call has the id `none`"


async def test_the_rules_are_read_again_by_command(router: Router, reader: Reader) -> None:
    router.write_rules(RULES.replace("client: fjord", "client: 7"))
    refused = await answer_to(reader, "reload", {})
    assert "fjord.yaml:1:9: `7` is not an id" in refused["error"]
    router.write_rules(RULES)
    assert await answer_to(reader, "reload", {}) == {"done": True}


async def test_what_a_router_could_not_tell_the_next_one_tells(
    asterisk: FakeAsterisk, router: Router, reader: Reader, broker: Broker
) -> None:
    broker.stop()
    asterisk.call(KARIS).hang_up()
    await router.record(KARIS)
    await router.die()
    broker.start()
    await router.start()
    await until(lambda: reader.at("events/fjord/call/ended"), within=10)
    first = dict.fromkeys(one["type"] for one in reader.events())
    assert list(first) == ["call.arrived", "call.routed", "call.ended"]


async def test_who_looks_on_hears_that_it_stops(router: Router, reader: Reader) -> None:
    await router.die()
    await until(lambda: reader.at("routers/one/status") == status("offline"))
