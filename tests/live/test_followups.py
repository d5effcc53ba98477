"""Follow-ups of real calls: posted to a server that is away first, and done with by a later call."""

import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from router.core.record import Disposition
from router.edge.webhook import SIGNATURE, TIMESTAMP
from tests.edge.sinks import ComingAndGoing
from tests.harness.ports import free_port
from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox
from tests.harness.sipp import ANSWERED, CALLED, CANCELLED, HUNG_UP_ON, INVITE, RINGING
from tests.harness.waiting import wait_until
from tests.live.conftest import BringUp, RunRouter
from tests.live.switchboard import Switchboard, talks

pytestmark = pytest.mark.live

DID = "+4722334455"
CALLERS = ("+4790000071", "+4790000072", "+4790000073")
SECRET = "signed-by-us"
CLIENT = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
people: {{kari: {{rings: PJSIP/100}}}}
follow_ups:
  - name: missed
    when: {{disposition: no_answer}}
    do: [{{webhook: "{url}"}}, {{call_back: {{owner: kari, within: 2h}}}}]
  - {{name: lead, when: {{tag: interested, disposition: no_answer}}, do: {{webhook: "{url}"}}}}
last_resort: [hangup]
routes: [{{name: all, do: [{{tag: interested}}, {{ring: kari, for: 1s}}]}}]
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ComingAndGoing]:
    made = ComingAndGoing()
    yield made
    made.stop()


@pytest.fixture
def board(
    bring_up: BringUp,
    run_router: RunRouter,
    server: ComingAndGoing,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Switchboard]:
    sandbox: Sandbox = bring_up("--rtp-timeout=0")
    secret = tmp_path_factory.mktemp("secret") / "webhook"
    secret.write_text(SECRET)
    webhooks = {"allow": ["localhost"], "secret_file": str(secret)}
    port = free_port(socket.SOCK_STREAM)
    router: RouterProcess = run_router(
        sandbox, {"fjord.yaml": CLIENT.format(url=server.url)}, webhooks=webhooks, agi={"port": port}
    )
    for extension in (
        f"desk,1,Set(CALLED={CALLERS[1]})",
        "desk,2,Dial(PJSIP/100,20)",
        "h,1,GotoIf($[${DIALSTATUS}=ANSWER]?2:3)",
        f"h,2,AGI(agi://127.0.0.1:{port}/reached,fjord,${{CALLED}})",
        "h,3,NoOp()",
    ):
        done = sandbox.cli(f"dialplan add extension {extension} into from-trunk replace")
        assert "@from-trunk" in done, done
    with ExitStack() as stack:
        yield Switchboard(sandbox, router, stack, {"kari": 100})
    wait_until(lambda: sandbox.left_behind() == [], "nothing is left in Asterisk")


def rows(board: Switchboard, *words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in board.typed(*words, "--json").splitlines()]


def test_calls_that_nobody_answers_are_followed_up_until_somebody_does(
    board: Switchboard, server: ComingAndGoing
) -> None:
    board.agent("kari", CALLED, RINGING, CANCELLED)
    for number in CALLERS:
        board.caller(DID, user=number)
    missed = board.records_of(DID, len(CALLERS))
    assert {record.disposition for record in missed} == {Disposition.NO_ANSWER}
    owed = rows(board, "todo", "--owner", "kari")
    assert sorted(one["number"] for one in owed) == sorted(CALLERS)
    wait_until(lambda: any(one["tries"] for one in rows(board, "outbox", "--waiting")), "a try")
    assert len(rows(board, "outbox", "--waiting")) == 2 * len(CALLERS)
    server.start()
    board.router.send_again()  # Else all wait for the end of the server's rest.
    wait_until(lambda: len(server.posts) == 2 * len(CALLERS), "all posts")
    for headers, body in server.posts:
        signature = hmac.new(SECRET.encode(), f"{headers[TIMESTAMP]}.".encode() + body, hashlib.sha256)
        assert headers[SIGNATURE] == signature.hexdigest()
    told = [json.loads(body) for _, body in server.posts]
    for record in missed:
        of_call = [one["follow_up"] for one in told if one["call"]["id"] == record.info.id]
        assert of_call == ["missed", "lead"], "in the order of the rules"
    board.agent("kari", *talks(0.5))
    board.caller(DID, INVITE, ANSWERED, HUNG_UP_ON, user=CALLERS[0])
    again = board.records_of(DID, len(CALLERS) + 1)[-1]
    assert (again.disposition, again.info.caller) == (Disposition.ANSWERED, CALLERS[0])
    assert sorted(one["number"] for one in rows(board, "todo")) == sorted(CALLERS[1:])
    [done] = [one for one in rows(board, "todo", "--all") if one["closed_at"]]
    assert (done["closed_call"], done["closed_by"], done["number"]) == (again.info.id, "kari", CALLERS[0])
    board.agent("kari", *talks(0.5))
    board.caller("desk", INVITE, ANSWERED, HUNG_UP_ON, user="100")  # A call of the dialplan's own.
    wait_until(lambda: len(rows(board, "todo")) == 1, "the dialplan tells of it")
    assert [one["number"] for one in rows(board, "todo")] == [CALLERS[2]]
    assert {one["closed_by"] for one in rows(board, "todo", "--all")} == {"dialplan", "kari", None}
