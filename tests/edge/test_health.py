"""Metrics and health over real HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from router.core.remarks import RuleError, RuleErrors
from router.edge.web.health import (
    TOLD_HEADER,
    AddressTakenError,
    Orders,
    Readiness,
    health_app,
    is_here,
    serve,
)


@dataclass
class Router:
    """A router as far as health asks."""

    ari_up: bool = True
    rules_loaded: bool = True
    draining: bool = False
    sent_again: bool = False

    async def reload(self) -> RuleErrors:
        return RuleErrors((RuleError("fjord.yaml", 1, 1, "this is wrong"),))

    async def obey(self) -> int:
        return 3

    async def read_contacts(self, number: str) -> int:
        return 1 if number == "+4790000001" else 7

    async def read_agents(self) -> int:
        return 2

    async def read_tokens(self) -> int:
        return 1

    async def spare(self) -> int:
        return 4

    def look_out(self) -> None:
        self.sent_again = True

    def readiness(self) -> Readiness:
        return Readiness(
            ari_up=lambda: self.ari_up, rules_loaded=lambda: self.rules_loaded, draining=lambda: self.draining
        )


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[Router, web.AppRunner, str]]:
    router = Router()
    runner = await serve(
        health_app(
            lambda: b"callrouter_calls_entered_total 3.0\n",
            router.readiness(),
            Orders(
                reload=router.reload,
                read_verdicts=router.obey,
                read_contacts=router.read_contacts,
                read_agents=router.read_agents,
                read_tokens=router.read_tokens,
                read_follow_ups=router.spare,
                send_again=router.look_out,
                queues=lambda: b"[]",
            ),
            tmp_path,
            "PBX.example",
        ),
        "127.0.0.1",
        0,
    )
    yield router, runner, "http://{}:{}".format(*runner.addresses[0])
    await runner.cleanup()


async def test_prompts_are_sent_to_an_asterisk_elsewhere(
    served: tuple[Router, web.AppRunner, str], tmp_path: Path
) -> None:
    name = "0123456789abcdef01234567"
    (tmp_path / "nb").mkdir()
    (tmp_path / "nb" / f"{name}.wav").write_bytes(b"RIFF")
    (tmp_path / "recorded").mkdir()
    (tmp_path / "recorded" / "sorry.wav").write_bytes(b"RIFF, too")
    _, _, url = served
    assert await get(f"{url}/prompts/nb/{name}.wav") == (200, "audio/x-wav", "RIFF")
    assert await get(f"{url}/prompts/recorded/sorry.wav") == (200, "audio/x-wav", "RIFF, too")
    (tmp_path / "recorded" / f"{name}.wav").write_bytes(b"RIFF by name")
    of_ours = f"{url}/prompts/recorded/{name}.wav"
    async with aiohttp.ClientSession() as session, session.get(of_ours) as response:
        assert response.headers["Cache-Control"] == "no-cache", "though it looks like a text's"
    for other in (f"nb/{name}.mp3", f"nb/{'f' * 24}.wav", "nb/..%2f..%2fetc%2fpasswd", "recorded/..%2fx.wav"):
        assert (await get(f"{url}/prompts/{other}"))[0] == 404


async def get(url: str) -> tuple[int, str, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, response.headers["Content-Type"], await response.text()


async def test_metrics(served: tuple[Router, web.AppRunner, str]) -> None:
    status, kind, text = await get(f"{served[2]}/metrics")
    assert (status, text) == (200, "callrouter_calls_entered_total 3.0\n")
    assert kind.startswith("text/plain; version=0.0.4")


STATES = [
    ("all is well", Router(), 200, []),
    ("no Asterisk", Router(ari_up=False), 503, ["no connection to Asterisk"]),
    ("no rules", Router(rules_loaded=False), 503, ["no rules are loaded"]),
    ("stopping", Router(draining=True), 503, ["the router is stopping"]),
    (
        "nothing is well",
        Router(False, False, True),
        503,
        ["no connection to Asterisk", "no rules are loaded", "the router is stopping"],
    ),
]


@pytest.mark.parametrize(
    ("state", "status", "reasons"), [row[1:] for row in STATES], ids=[row[0] for row in STATES]
)
async def test_ready_only_while_calls_can_be_served(
    served: tuple[Router, web.AppRunner, str], state: Router, status: int, reasons: list[str]
) -> None:
    router, _, address = served
    router.ari_up, router.rules_loaded, router.draining = state.ari_up, state.rules_loaded, state.draining
    async with aiohttp.ClientSession() as session, session.get(f"{address}/readyz") as response:
        assert response.status == status
        assert await response.json() == {"ready": status == 200, "reasons": reasons}
    assert (await get(f"{address}/healthz"))[0] == 200


async def test_a_busy_port_is_told_plainly(served: tuple[Router, web.AppRunner, str]) -> None:
    port = served[1].addresses[0][1]
    with pytest.raises(
        AddressTakenError, match=f"cannot listen on 127.0.0.1 port {port}: .*in use; set `web.host`"
    ):
        await serve(web.Application(), "127.0.0.1", port)


COMMANDS = ("/reload", "/verdicts", "/contacts", "/agents", "/tokens", "/outbox", "/follow-ups")
"""What commands have the router do."""


@pytest.mark.parametrize("path", COMMANDS)
async def test_a_page_in_a_browser_cannot_have_the_rules_read(
    path: str, served: tuple[Router, web.AppRunner, str]
) -> None:
    async with aiohttp.ClientSession() as session, session.post(f"{served[2]}{path}") as response:
        assert response.status == 403


async def test_what_was_decided_by_command_is_read_again(served: tuple[Router, web.AppRunner, str]) -> None:
    async with (
        aiohttp.ClientSession(headers=TOLD_HEADER) as session,
        session.post(f"{served[2]}/verdicts") as response,
    ):
        assert await response.json() == {"verdicts": 3}


@pytest.mark.parametrize(("query", "contacts"), [("", 7), ("?number=%2B4790000001", 1)])
async def test_contacts_are_read_again_all_or_of_one_number(
    served: tuple[Router, web.AppRunner, str], query: str, contacts: int
) -> None:
    async with (
        aiohttp.ClientSession(headers=TOLD_HEADER) as session,
        session.post(f"{served[2]}/contacts{query}") as response,
    ):
        assert await response.json() == {"contacts": contacts}


async def test_agents_are_read_again_and_queues_shown(served: tuple[Router, web.AppRunner, str]) -> None:
    async with (
        aiohttp.ClientSession(headers=TOLD_HEADER) as session,
        session.post(f"{served[2]}/agents") as response,
    ):
        assert await response.json() == {"changes": 2}
    assert await get(f"{served[2]}/queues") == (200, "application/json", "[]")


async def test_tokens_are_read_again(served: tuple[Router, web.AppRunner, str]) -> None:
    async with (
        aiohttp.ClientSession(headers=TOLD_HEADER) as session,
        session.post(f"{served[2]}/tokens") as response,
    ):
        assert await response.json() == {"tokens": 1}


OF_COMMANDS = [("POST", "/reload"), ("POST", "/verdicts"), ("POST", "/agents"), ("POST", "/tokens"),
               ("GET", "/queues")]  # fmt: skip
PROXIED = [
    ("behind nginx", {"X-Forwarded-For": "198.51.100.7"}),
    ("behind another", {"Forwarded": "for=198.51.100.7"}),
    ("behind one that says little", {"Via": "1.1 proxy"}),
]


@pytest.mark.parametrize("headers", [row[1] for row in PROXIED], ids=[row[0] for row in PROXIED])
async def test_what_commands_use_is_not_for_who_comes_by_a_proxy(
    served: tuple[Router, web.AppRunner, str], headers: dict[str, str]
) -> None:
    async with aiohttp.ClientSession(headers=TOLD_HEADER | headers) as session:
        for method, path in OF_COMMANDS:
            async with session.request(method, f"{served[2]}{path}") as response:
                assert response.status == 403, path
                assert "on the router's own machine" in await response.text()
        async with session.get(f"{served[2]}/healthz") as response:
            assert response.status == 200


NAMES = [
    ("an address", "127.0.0.1:8090", 200),
    ("one of IPv6", "[::1]:8090", 200),
    ("the machine itself", "localhost:8090", 200),
    ("as the settings have it", "pbx.example", 200),
    ("a page's own name, which came to mean our address", "evil.example:8090", 403),
    ("one that looks like an address", "127.0.0.1.evil.example", 403),
]


@pytest.mark.parametrize(("name", "status"), [row[1:] for row in NAMES], ids=[row[0] for row in NAMES])
async def test_what_commands_use_is_not_for_who_calls_us_by_another_name(
    served: tuple[Router, web.AppRunner, str], name: str, status: int
) -> None:
    async with aiohttp.ClientSession(headers=TOLD_HEADER | {"Host": name}) as session:
        for method, path in OF_COMMANDS:
            async with session.request(method, f"{served[2]}{path}") as response:
                assert response.status == (422 if path == "/reload" and status == 200 else status), path


PEERS = [
    ("loopback", "127.0.0.1", ("127.0.0.1", 8090), True),
    ("another of loopback's", "127.0.0.9", ("0.0.0.0", 8090), True),
    ("loopback, of IPv6", "::1", ("::1", 8090, 0, 0), True),
    ("loopback, as IPv6 has it", "::ffff:127.0.0.1", ("::ffff:127.0.0.1", 8090, 0, 0), True),
    ("the address that we listen on", "192.0.2.5", ("192.0.2.5", 8090), True),
    ("another machine", "192.0.2.6", ("192.0.2.5", 8090), False),
    ("another machine, of IPv6", "2001:db8::6", ("2001:db8::5", 8090, 0, 0), False),
    ("another machine, with its zone", "fe80::6%eth0", ("fe80::5%eth0", 8090, 0, 2), False),
    ("nobody knows", None, ("192.0.2.5", 8090), False),
    ("nobody knows where", "192.0.2.6", None, False),
]


@pytest.mark.parametrize(("peer", "local", "here"), [row[1:] for row in PEERS], ids=[row[0] for row in PEERS])
def test_who_is_on_this_machine(peer: str | None, local: tuple[object, ...] | None, here: bool) -> None:
    assert is_here(peer, local) is here


async def test_follow_ups_are_sent_at_once_and_whom_nobody_is_to_call_read_again(
    served: tuple[Router, web.AppRunner, str],
) -> None:
    router, _, url = served
    async with aiohttp.ClientSession(headers=TOLD_HEADER) as session:
        async with session.post(f"{url}/outbox") as response:
            assert await response.json() == {"told": True}
        async with session.post(f"{url}/follow-ups") as response:
            assert await response.json() == {"numbers": 4}
    assert router.sent_again
