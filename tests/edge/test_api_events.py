"""Events over real HTTP: told in order, to whom they are for, and again to whoever missed some."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from router.edge import noticefeed, records, tokens
from router.edge.store.outbox import Outbox
from router.edge.store.tokens import Tokens
from router.edge.web.api import events
from tests.edge.api_server import ApiServer
from tests.edge.stories import PLAN, TRACE, a_call, eventually, talked
from tests.harness.asker import Listener


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    monkeypatch.setattr(events, "LOOK_EVERY", 0.05)
    server = ApiServer(tmp_path)
    server.start()
    yield server
    server.stop()


def call(api: ApiServer, id: str, client: str | None = "fjord") -> None:
    """A whole call is written down: three notices."""
    api.writer.arrived(a_call(id, client=client), PLAN, TRACE)
    api.writer.ended(talked(a_call(id, client=client)))


def begins(listener: Listener) -> int:
    """Where a listener begins."""
    first = listener.hears()
    assert first is not None
    assert first.type == ""
    return listener.last


def test_what_happens_is_told_in_order(api: ApiServer) -> None:
    with api.listening() as listener:
        assert (listener.status, listener.headers["Content-Type"]) == (200, "text/event-stream")
        begins(listener)
        call(api, "c1")
        call(api, "c2")
        told = listener.events(6)
    assert [one.data["id"] for one in told] == [
        "c1.arrived", "c1.routed", "c1.ended", "c2.arrived", "c2.routed", "c2.ended",
    ]  # fmt: skip
    assert [one.type for one in told] == [one.data["type"] for one in told]
    assert [one.id for one in told] == sorted({one.id or 0 for one in told})


def test_who_comes_back_is_told_what_was_missed(api: ApiServer) -> None:
    with api.listening() as listener:
        begins(listener)
        call(api, "c1")
        listener.events(2)
        last = listener.last
    eventually(lambda: api.notices.listeners == 0)
    call(api, "c2")
    eventually(lambda: api.writer.queued == 0)
    missed = ["c1.ended", "c2.arrived", "c2.routed", "c2.ended"]
    with api.listening(Last_Event_ID=str(last)) as listener:
        assert [one.data["id"] for one in listener.events(4)] == missed
        call(api, "c3")
        assert listener.events(1)[0].data["id"] == "c3.arrived"
    with api.listening(f"?after={last}") as listener:
        assert [one.data["id"] for one in listener.events(4)] == missed


FILTERS = [
    ("one type", "?type=call.ended", "reader", ["c1.ended", "c2.ended", "c3.ended"]),
    ("two types", "?type=call.ended&type=call.routed&client=sund", "reader", ["c2.routed", "c2.ended"]),
    ("one client", "?client=sund", "reader", ["c2.arrived", "c2.routed", "c2.ended"]),
    ("a token for one client", "", "fjord", ["c1.arrived", "c1.routed", "c1.ended"]),
]


def test_each_is_told_what_is_for_them(api: ApiServer) -> None:
    for id, client in (("c1", "fjord"), ("c2", "sund"), ("c3", None), ("c4", "fjord")):
        call(api, id, client)
    eventually(lambda: api.writer.queued == 0)
    for what, query, token, wanted in FILTERS:
        with api.listening(query, token, Last_Event_ID="0") as listener:
            heard = [one.data["id"] for one in listener.events(len(wanted))]
        assert heard == wanted, what


REFUSED = [
    ("no type", "?type=call.over", "", 400),
    ("another client", "?client=sund", "", 403),
    ("no id", "", "the last one", 400),
    ("no id that there can be", "?after=-1", "", 400),
]


def test_what_cannot_be_heard_is_refused(api: ApiServer) -> None:
    for what, query, last, status in REFUSED:
        assert api.ask(f"/events{query}", "fjord", Last_Event_ID=last).status == status, what


def test_who_missed_what_is_kept_no_more_hears_so(api: ApiServer) -> None:
    call(api, "c1")
    call(api, "c2")
    eventually(lambda: api.writer.queued == 0)
    with closing(Outbox(api.url)) as outbox:
        first = outbox.first()
        assert outbox.forget(datetime.now(UTC), unsent=True) == 6
    call(api, "c3")
    eventually(lambda: api.writer.queued == 0)
    with api.listening(Last_Event_ID=str(first)) as listener:
        gap, arrived = listener.events(2)
    assert (gap.type, gap.data) == ("stream.gap", {"type": "stream.gap", "after": first})
    assert arrived.data["id"] == "c3.arrived"
    with api.listening(Last_Event_ID="999") as listener:
        assert listener.events(1)[0].type == "stream.gap", "as of another database"
        call(api, "c4")
        assert listener.events(1)[0].data["id"] == "c4.arrived"


def test_who_has_fallen_behind_what_is_kept_in_memory_misses_nothing(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noticefeed, "KEPT", 5)
    with api.listening() as listener:
        began = begins(listener)
        for number in range(10):
            call(api, f"c{number}")
            assert len(listener.events(3)) == 3
        with api.listening(Last_Event_ID=str(began)) as other:
            assert len({one.data["id"] for one in other.events(30)}) == 30


def test_while_the_database_is_away_listeners_stay(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "ANEW_AFTER", 0.0)
    monkeypatch.setattr(noticefeed, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(events, "HEARTBEAT", 0.1)
    monkeypatch.setattr(tokens, "LOOK_EVERY", 0.0)
    file = Path(api.url.removeprefix("sqlite:///"))
    call(api, "c1")
    eventually(lambda: api.writer.queued == 0)
    with api.listening() as listener:
        begins(listener)
        away = file.rename(file.with_suffix(".away"))
        for _ in range(3):
            heard = listener.hears()
            assert heard is not None
            assert heard.type == ""
        assert api.ask("/events", Last_Event_ID="1").status == 503
        away.rename(file)
        call(api, "c2")
        assert listener.events(1)[0].data["id"] == "c2.arrived"


def test_whoever_listens_long_gets_signs_of_life(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT", 0.2)
    with api.listening("?type=agent.changed") as listener:
        began = begins(listener)
        call(api, "c1")
        eventually(lambda: api.writer.queued == 0)
        while listener.last < began + 3:
            heard = listener.hears()
            assert heard is not None
            assert heard.type == "", "what is not for them moves them on all the same"


def test_a_revoked_token_hears_no_more(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT", 0.1)
    with api.listening() as listener:
        begins(listener)
        with closing(Tokens(api.url)) as tokens:
            assert tokens.revoke("reader", "root", datetime.now(UTC))
        api.read_tokens()
        while listener.hears() is not None:
            pass
    assert api.ask("/rules").status == 401


def test_only_so_many_may_listen(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_LISTENERS", 1)
    with api.listening() as listener:
        begins(listener)
        refused = api.ask("/events")
    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    eventually(lambda: api.notices.listeners == 0)
    with api.listening() as listener:
        assert listener.status == 200, "there is room again"


def test_one_token_does_not_take_all_places(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_OF_A_TOKEN", 1)
    with api.listening() as listener:
        begins(listener)
        refused = api.ask("/events")
        with api.listening(token="fjord") as another:
            assert another.status == 200
    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    assert "`reader`" in refused.body["detail"]


def test_who_takes_nothing_is_let_go_and_loses_nothing(
    api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "STALLED", 0.3)
    monkeypatch.setattr(noticefeed, "KEPT", 50)
    lasting = 1200
    for number in range(lasting):
        api.writer.arrived(a_call(f"c{number}"), PLAN, TRACE)
    eventually(lambda: api.writer.queued == 0)
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", api.port))
        request = "GET /api/v1/events?after=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer reader\r\n\r\n"
        deaf.sendall(request.encode())
        eventually(lambda: api.notices.listeners == 1)
        eventually(lambda: api.notices.listeners == 0)
    with api.listening(Last_Event_ID="0") as listener:
        heard = listener.events(2 * lasting)
    assert len({one.data["id"] for one in heard}) == 2 * lasting


def test_a_router_that_stops_lets_all_go(tmp_path: Path) -> None:
    api = ApiServer(tmp_path)
    api.start()
    with api.listening() as listener:
        begins(listener)
        began = time.monotonic()
        api.stop()
        assert listener.hears() is None
    assert time.monotonic() - began < 3
