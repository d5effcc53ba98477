"""A dialplan of the administrator's own asks the whole daemon, which decides as of a call and counts none."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.edge.agi_client import PLAIN, AgiClient
from tests.harness.ports import free_port
from tests.sim.asterisk import FakeAsterisk
from tests.sim.phones import RINGS_ON
from tests.sim.router import CLOSED, ONE, QUEUE, RULES, Router, routing, until

COUNTED = "+4722334420"
COUNTING = RULES.replace(
    "  block: [",
    '  block: [{name: hammering, when: {dialled: "+4722334420"}, more_than: 2 calls in 10m}, ',
).replace("routes:\n", 'routes:\n  - {name: told, when: {dialled: "+4722334420"}, do: [message]}\n')


class Asking:
    """A router with FastAGI, and a dialplan that asks it."""

    def __init__(self, asterisk: FakeAsterisk, router: Router, port: int) -> None:
        self.asterisk = asterisk
        self.router = router
        self.port = port

    async def ask(
        self, dialled: str, *, channel: str = "1.1", caller: str = "+4790000009", **variables: str
    ) -> dict[str, str]:
        """What the dialplan knows afterwards, without callrouter's own beginning."""
        client = AgiClient(self.port, variables)
        asked = {"agi_arg_1": dialled, "agi_uniqueid": channel, "agi_callerid": caller}
        await client.ask({**PLAIN, **asked})
        return {name.removeprefix("CALLROUTER_"): value for name, value in client.variables.items() if value}

    async def typed(self, *words: str) -> str:
        done = await asyncio.to_thread(self.router.command, *words)
        return done.output


@pytest.fixture
async def dialplan(tmp_path: Path) -> AsyncIterator[Asking]:
    port = free_port(socket.SOCK_STREAM)
    async with routing(tmp_path, agi={"port": port}) as (asterisk, router):
        yield Asking(asterisk, router, port)


async def test_it_is_told_whom_to_ring_and_why(dialplan: Asking) -> None:
    told = await dialplan.ask(ONE)
    trace = told.pop("TRACE")
    assert told == {
        "CLIENT": "fjord", "ROUTE": "one", "STEPS": "2", "TREATMENT": "ring", "TARGETS": "PJSIP/kari",
        "RING_FOR": "25", "TREATMENT2": "say", "PROMPTS2": "sorry", "CAUSE2": "16",
    }  # fmt: skip
    await until(lambda: "route one: taken" in dialplan.router.command("explain", trace).output)
    assert "client fjord has +4722334401" in await dialplan.typed("explain", trace)
    assert trace in await dialplan.typed("explain", trace[:12], "--json")
    told_of_call = (
        f"{trace} is no call: a dialplan asked and was told `ring`; `callrouter explain {trace}` says why\n"
    )
    assert await dialplan.typed("call", trace) == told_of_call
    assert "no call's id begins with zzz" in await dialplan.typed("explain", "zzz")


async def test_it_is_no_call(dialplan: Asking) -> None:
    for number in range(3):
        await dialplan.ask(ONE, channel=f"1.{number}")
    router = dialplan.router
    assert await router.metric("callrouter_agi_requests_total", outcome="answered") == 3
    assert await router.metric("callrouter_calls_entered_total") == 0
    assert await router.metric("callrouter_calls_total", client="fjord", disposition="answered") == 0
    assert router.open_calls() == []
    assert router.closed() == []
    assert dialplan.asterisk.commands() == []


async def test_who_is_blocked_by_the_rules_or_by_command(dialplan: Asking) -> None:
    told = await dialplan.ask(ONE, caller="+4781549312")
    assert (told["TREATMENT"], told["DISPOSITION"], told["REASON"], told["CAUSE"]) == (
        "blocked", "blocked", "telemarketers", "21",
    )  # fmt: skip
    hits = {"client": "fjord", "rule": "telemarketers", "kind": "block"}
    assert await dialplan.router.metric("callrouter_screening_hits_total", **hits) == 1
    await dialplan.typed("block", "+4790000009")
    told = await dialplan.ask(ONE)
    assert (told["TREATMENT"], told["REASON"]) == ("blocked", "command 1")
    await until(lambda: "telemarketers" in dialplan.router.command("blocked").output)
    await dialplan.typed("unblock", "+4790000009")
    assert (await dialplan.ask(ONE))["TREATMENT"] == "ring"


async def test_how_queues_stand_counts(dialplan: Asking) -> None:
    assert (await dialplan.ask(QUEUE))["TREATMENT"] == "queue"
    await dialplan.typed("agents", "logout", "lise")
    await dialplan.typed("agents", "logout", "siri")
    assert (await dialplan.ask(QUEUE))["ROUTE"] == "nobody"


async def test_the_live_rules_decide_by_what_the_dialplan_knows(dialplan: Asking) -> None:
    rules = RULES.replace("name: one, when: {", "name: oslo, when: {variable: {branch: oslo}, ")
    dialplan.router.write_rules(rules)
    await dialplan.typed("reload")
    assert (await dialplan.ask(ONE, CALLROUTER_VARIABLES="branch=oslo"))["ROUTE"] == "oslo"
    assert "ROUTE" not in await dialplan.ask(ONE, CALLROUTER_VARIABLES="branch=bergen")


async def test_who_asks_and_then_comes_in_has_called_once_also_after_a_restart(dialplan: Asking) -> None:
    asterisk, router = dialplan.asterisk, dialplan.router
    router.write_rules(COUNTING)
    await dialplan.typed("reload")
    last, calls = asterisk.call(CLOSED, "+4790000007"), 0
    for who in ("+4790000009", "+4790000009", "+4790000006"):
        begin, _, end = last.id.partition(".")
        told = await dialplan.ask(COUNTED, channel=f"{begin}.{int(end) + 1}", caller=who)
        assert told["TREATMENT"] == "message"
        last, calls = asterisk.call(COUNTED, who), calls + 1
        await until(lambda caller=last: caller.state == "Up", what="the answer of who is not blocked")  # type: ignore[misc]
        last.hang_up()
        await until(lambda over=calls: len(router.closed(COUNTED)) == over)  # type: ignore[misc]
    assert (await dialplan.ask(COUNTED))["REASON"] == "hammering"
    for channel in ("9.1", "9.2"):
        await dialplan.ask(COUNTED, channel=channel, caller="+4790000008")
    await router.die()
    await router.start()
    asked = ("+4790000009", "+4790000008", "+4790000006")
    told_now = [await dialplan.ask(COUNTED, channel=f"8{who}", caller=who) for who in asked]
    assert [told.get("REASON") for told in told_now] == ["hammering", "hammering", None]


async def test_a_fault_of_the_rules_is_no_silence(dialplan: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.edge.advice.handed_out", lambda *_: 1 / 0)
    told = await dialplan.ask(ONE)
    assert told == {"ERROR": "the router failed; its log says how"}


async def test_a_caller_who_rings_meanwhile_is_untouched(dialplan: Asking) -> None:
    dialplan.asterisk.phones["PJSIP/kari"] = RINGS_ON
    caller = dialplan.asterisk.call(ONE)
    await until(lambda: dialplan.asterisk.legs("PJSIP/kari"))
    await dialplan.ask(ONE, channel=caller.id)
    caller.hang_up()
    assert (await dialplan.router.record(ONE)).disposition == "abandoned"


REACHED = [
    ("nothing at all", {}, "there is no client ; write agi://.../reached,CLIENT,NUMBER"),
    ("no such client", {"agi_arg_1": "fjrod", "agi_arg_2": "90000009"},
     "there is no client fjrod; did you mean `fjord`?"),
    ("no number", {"agi_arg_1": "fjord", "agi_arg_2": "kari"}, "`kari` is not a phone number"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "error"), [row[1:] for row in REACHED], ids=[row[0] for row in REACHED])
async def test_who_was_reached_must_be_somebody(dialplan: Asking, words: dict[str, str], error: str) -> None:
    client = AgiClient(dialplan.port)
    await client.ask({**PLAIN, "agi_network_script": "reached", **words})
    assert client.variables["CALLROUTER_ERROR"].startswith(error)


OWING = "follow_ups: [{name: missed, do: {call_back: {owner: kari}}}]\n"


async def test_whom_a_dialplan_has_reached_nobody_is_to_call_back(tmp_path: Path) -> None:
    port = free_port(socket.SOCK_STREAM)
    async with routing(tmp_path, agi={"port": port}) as (asterisk, router):
        router.write_rules(RULES + OWING)
        await asyncio.to_thread(router.command, "reload")
        for _ in range(2):
            asterisk.call(CLOSED).hang_up()
        await until(lambda: "(2 calls)" in router.command("todo").output, what="two calls of one caller")
        assert "kari" in router.command("todo", "--owner", "kari").output
        client = AgiClient(port)
        asked = {"agi_network_script": "reached", "agi_arg_1": "fjord", "agi_arg_2": "90 00 00 09"}
        await client.ask({**PLAIN, **asked})
        assert client.variables["CALLROUTER_ERROR"] == ""
        await until(lambda: router.command("todo").output == "nobody is to be called back\n", what="the end")
        assert "done, by dialplan" in router.command("todo", "--all").output
        told = router.command("todo", "reached", "90000009", "--client", "fjord").output
        assert told == "fjord was not to call +4790000009 back\n"
