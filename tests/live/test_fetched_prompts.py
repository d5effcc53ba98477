"""An Asterisk elsewhere fetches prompts from the router over HTTP, and keeps them."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from router.core.plan import Speak
from router.core.record import Disposition
from router.edge.prompts import Prompts
from router.edge.voices import voice_of
from tests.harness.ports import free_port
from tests.harness.router import RouterProcess
from tests.harness.sipp import ANSWERED, HUNG_UP_ON, INVITE_HEARING
from tests.live.conftest import BringUp
from tests.live.room import Room

pytestmark = pytest.mark.live

DID = "+4722334455"
FIRST, SECOND = "Velkommen til Fjord Legesenter.", "Vi har dessverre stengt i dag."
FJORD = f"""\
client: fjord
name: Fjord
numbers: "{DID}"
timezone: Europe/Oslo
country: NO
language: nb
greeting: {FIRST}
routes: [{{name: main, do: [{{say: {SECOND}}}, hangup]}}]
"""


@pytest.fixture(scope="module")
def elsewhere(bring_up: BringUp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Room, Prompts]]:
    """Asterisk sees none of the router's folders."""
    sandbox = bring_up("--rtp-timeout=0")
    port, folder = free_port(socket.SOCK_STREAM), tmp_path_factory.mktemp("elsewhere")
    speech = {"folder": str(folder / "prompts"), "seen_as": f"http://127.0.0.1:{port}/prompts"}
    router = RouterProcess(sandbox, folder, {"fjord.yaml": FJORD}, speech=speech, web={"port": port})
    router.port = port
    router.start()
    with ExitStack() as stack:
        prompts = Prompts(folder / "prompts", speech["seen_as"], lambda code: voice_of(code, {}, 150))
        yield Room(sandbox, router, stack), prompts
    router.stop()


def test_the_first_caller_hears_them_and_so_does_the_next(elsewhere: tuple[Room, Prompts]) -> None:
    room, prompts = elsewhere
    files = [prompts.path(Speak(text, "nb")) for text in (FIRST, SECOND)]
    address = f":{room.router.port}/prompts/nb/"
    assert address not in room.sandbox.cli("media cache show all"), "the cache is cold"
    for count in (1, 2):
        caller = room.calls(DID, INVITE_HEARING, ANSWERED, HUNG_UP_ON)
        record = room.record(DID, count)
        assert (record.disposition, record.flags) == (Disposition.INFORMED, ())
        assert [file for file in files if not caller.heard(file)] == []
        assert room.sandbox.left_behind() == []
    kept = room.sandbox.cli("media cache show all")
    assert kept.count(address) == len(files), "each is fetched once"
