"""Follow-ups by the whole daemon: what a call leaves to be done, what is sent of it, and by which call it is
done."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from typer.testing import Result

from router.edge import dispatch
from router.edge.sparing import Sparing
from router.edge.store.queries import Queries
from tests.edge.sinks import Sinks
from tests.sim.asterisk import FakeAsterisk
from tests.sim.phones import ANSWERS, RINGS_ON
from tests.sim.router import BACK, MARKED, ONE, RULES, Router, routing, until
from tests.sim.stories import rings, talking, told

FOLLOW_UPS = """\
follow_ups:
  - name: missed
    when: {{disposition: abandoned}}
    do: [{{webhook: "http://localhost:{port}/missed"}}, {{call_back: {{owner: lise, within: 2h}}}}]
  - {{name: more, when: {{tag: follow_up_needed}}, do: {{webhook: "http://localhost:{port}/more"}}}}
  - {{name: leave alone, when: {{tag: interested}}, do: {{do_not_contact: 90d}}}}
"""


@pytest.fixture
def sinks() -> Iterator[Sinks]:
    with Sinks() as sinks:
        yield sinks


@pytest.fixture
async def both(
    tmp_path: Path, sinks: Sinks, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[FakeAsterisk, Router]]:
    monkeypatch.setattr(dispatch, "EVERY", 0.2)
    async with routing(tmp_path, webhooks={"allow": ["localhost"]}) as (asterisk, router):
        router.write_rules(RULES + FOLLOW_UPS.format(port=sinks.web.server_port))
        assert (await asyncio.to_thread(router.command, "reload")).exit_code == 0
        yield asterisk, router


async def missed(asterisk: FakeAsterisk, router: Router) -> None:
    """A caller hangs up before anybody answers."""
    asterisk.phones["PJSIP/kari"] = RINGS_ON
    caller = asterisk.call(ONE)
    await until(lambda: rings("Ringing")(asterisk), what="ringing")
    caller.hang_up()
    assert told(await router.record(ONE)) == ("abandoned", "ringing", "caller")


async def typed(router: Router, *words: str) -> Result:
    return await asyncio.to_thread(router.command, *words)


async def test_a_missed_call_is_followed_up_until_the_caller_is_talked_with(
    asterisk: FakeAsterisk, router: Router, sinks: Sinks
) -> None:
    sinks.refuse = 1
    await missed(asterisk, router)
    [record] = router.closed(ONE)
    await router.counts("callrouter_obligations", 1, state="open")
    head, row = (await typed(router, "todo")).stdout.splitlines()
    assert head.split() == ["id", "due", "owner", "call", "back", "client", "missed", "why", "call"]
    assert "lise" in row
    assert "+4790000009" in row
    assert row.endswith(f"missed: disposition: abandoned  {record.info.id}")
    await until(lambda: sinks.refuse == 0, what="a try")
    waiting = ""
    while "503" not in waiting:
        waiting = (await typed(router, "outbox", "--waiting")).stdout
    assert waiting.endswith("  1      localhost answers 503 Service Unavailable\n")
    assert (await typed(router, "outbox", "resend", "--all")).stdout == "1 to be sent again\n"
    await until(lambda: sinks.posts, what="the post")
    assert json.loads(sinks.posts[0][1])["id"] == f"{record.info.id}.follow_up.missed"
    await router.counts("callrouter_follow_up_jobs", 0, state="waiting")
    assert (await typed(router, "outbox")).stdout == "nothing waits to be sent\n"
    asterisk.phones["PJSIP/kari"] = ANSWERS
    caller = asterisk.call(ONE)
    await until(lambda: talking(asterisk), what="the talk")
    caller.hang_up()
    await router.counts("callrouter_obligations", 0, state="open")
    assert (await typed(router, "todo")).stdout == "nobody is to be called back\n"
    [_, later] = router.closed(ONE)
    done = json.loads((await typed(router, "todo", "--all", "--json")).stdout)
    assert (done["closed_call"], done["closed_by"]) == (later.info.id, "PJSIP/kari")
    assert len(sinks.posts) == 1, "the second call is not followed up"


async def test_why_a_call_was_followed_up_is_told(asterisk: FakeAsterisk, router: Router) -> None:
    await missed(asterisk, router)
    [record] = router.closed(ONE)
    due = "follow-up missed: due; disposition: abandoned"
    for command in ("explain", "call"):
        assert due in (await typed(router, command, record.info.id)).stdout
        [told] = json.loads((await typed(router, command, record.info.id, "--json")).stdout)["follow_ups"]
        assert (told["name"], told["tag"]) == ("missed", "")


async def test_somebody_says_that_it_is_done(asterisk: FakeAsterisk, router: Router) -> None:
    await missed(asterisk, router)
    assert (await typed(router, "todo", "--client", "sund")).stdout == "nobody is to be called back\n"
    assert (await typed(router, "todo", "done", "1")).stdout == "1 is done: +4790000009 of fjord\n"
    again = await typed(router, "todo", "done", "1")
    assert (again.exit_code, again.stderr[:22]) == (1, "1 was done before, by ")
    other = await typed(router, "todo", "done", "7")
    assert (other.exit_code, "by the id 7" in other.stderr) == (1, True)
    assert "done, by " in (await typed(router, "todo", "--all")).stdout


async def test_what_is_to_be_sent_is_shown(
    asterisk: FakeAsterisk, router: Router, sinks: Sinks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "GIVE_UP", dispatch.AGAIN[0] * 0)
    sinks.refuse = 1
    await missed(asterisk, router)
    await router.counts("callrouter_follow_up_jobs", 1, state="dead")
    shown = (await typed(router, "outbox")).stdout.splitlines()
    assert shown == ["nothing waits to be sent", "given up: 1; `callrouter outbox --dead` lists them"]
    assert json.loads((await typed(router, "outbox", "--json")).stdout) == {"dead": 1}
    dead = json.loads((await typed(router, "outbox", "--dead", "--json")).stdout)
    assert (dead["follow_up"], dead["tries"], dead["body"]["type"]) == ("missed", 1, "follow_up.due")
    assert (await typed(router, "outbox", "--waiting")).stdout == "nothing of follow-ups waits to be sent\n"
    assert (await typed(router, "outbox", "--waiting", "--dead")).exit_code == 2
    assert (await typed(router, "outbox", "resend")).exit_code == 2
    none = await typed(router, "outbox", "resend", "99")
    assert (none.exit_code, "nothing with the id 99" in none.stderr) == (1, True)
    await router.die()
    offline = await typed(router, "outbox", "resend", str(dead["id"]))
    assert (offline.exit_code, offline.stderr[:41]) == (0, "written down; sent when the router runs: ")
    assert (await typed(router, "outbox", "--dead")).stdout == "nothing is given up\n"
    row = (await typed(router, "outbox")).stdout.splitlines()[1].split()
    assert row[0] == "1"
    assert row[2] == "webhook"
    nothing = await typed(router, "outbox", "resend", "--all")
    assert nothing.stdout == "1 to be sent again\n"


async def test_whom_nobody_is_to_call_is_known_at_once(asterisk: FakeAsterisk, router: Router) -> None:
    added = await typed(router, "dnc", "add", "+4790000009", "--why", "asked")
    assert (added.exit_code, added.stderr) == (0, "")
    await missed(asterisk, router)
    await router.counts("callrouter_obligations", 1, state="open")
    assert "+4790000009 (nobody is to call it: dnc)" in (await typed(router, "todo")).stdout
    assert json.loads((await typed(router, "todo", "--json")).stdout)["do_not_contact"] is True


async def test_a_tag_by_command_is_followed_up_at_once(
    asterisk: FakeAsterisk, router: Router, sinks: Sinks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "EVERY", 60.0)
    await missed(asterisk, router)
    [record] = router.closed(ONE)
    await until(lambda: len(sinks.posts) == 1, what="the first post")
    assert (await typed(router, "tag", record.info.id, "follow_up_needed")).exit_code == 0
    await until(lambda: len(sinks.posts) == 2, what="the second")
    assert json.loads(sinks.posts[1][1])["why"] == "tag: follow_up_needed"


async def test_whom_a_follow_up_spares_is_promised_no_call(
    asterisk: FakeAsterisk, router: Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []
    read = Sparing.read

    async def read_and_count(self: Sparing) -> int:
        counts.append(await read(self))
        return counts[-1]

    monkeypatch.setattr(Sparing, "read", read_and_count)
    asterisk.phones["PJSIP/kari"] = RINGS_ON
    first = asterisk.call(MARKED)
    await until(lambda: rings("Ringing")(asterisk), what="ringing")
    first.hang_up()
    await router.record(MARKED)
    await until(lambda: counts == [1], what="reading whom nobody is to call")
    caller = asterisk.call(BACK)
    await until(lambda: router.knows("NumberRead") == 1, what="the number")
    queries = Queries(router.database)
    [event] = [
        row.event for call in queries.open_calls() for row in call.timeline if b"NumberRead" in row.event
    ]
    queries.close()
    assert json.loads(event).get("number", "") == "", "nobody may call there"
    caller.hang_up()
