"""The API over real HTTP: each resource, who may ask for what, and what is said to whom may not."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from router.core.plan import Delivery
from router.core.record import CallRecord, Disposition, LeftMessage, Phase
from router.core.tags import CallTag, Way
from router.edge import records, tokens
from router.edge.liveviews import SeenCall
from router.edge.logs import mask_numbers
from router.edge.postbox import file_of
from router.edge.store.messages import Messages
from router.edge.web.api import reading
from router.edge.web.api.resources import RESOURCES
from router.edge.web.api.wording import to_write
from tests.edge.api_server import ApiServer, refused_rules
from tests.edge.stories import (
    PLAN,
    TALK,
    TEN,
    TRACE,
    a_call,
    a_code,
    abandoned,
    encoded,
    eventually,
    informed,
    owe,
    talked,
)

HOUR = timedelta(hours=1)
LIVE = SeenCall(
    "cc1", "fjord", "main", "+4722334455", "+4790000001", TEN, Phase.TALKING, "talking", None, "ola", TEN, ()
)


def leaves(record: CallRecord) -> CallRecord:
    """The record of a call whose caller left a message."""
    left = LeftMessage(("kari",), "nb", Delivery((), "", 90), "+4790000009", recording=1, seconds=4.5)
    return msgspec.structs.replace(record, message=left, disposition=Disposition.MESSAGE_LEFT)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A morning: three calls of fjord, one of sund, one of nobody, and one that is live."""
    server = ApiServer(tmp_path_factory.mktemp("api"))
    for call, record in (
        (a_call("aa1", at=TEN), talked),
        (a_call("aa2", at=TEN + HOUR, caller="+4790000002"), abandoned),
        (a_call("bb1", at=TEN + 2 * HOUR, client="sund"), talked),
        (a_call("bb2", at=TEN + 3 * HOUR, client=None), abandoned),
        (a_call("mm1", at=TEN + 4 * HOUR), abandoned),
    ):
        server.writer.arrived(call, PLAN, TRACE)
        for seq, event in enumerate(TALK, start=1):
            server.writer.happened(call.id, seq, call.arrived_at + timedelta(seconds=seq), event)
        server.writer.ended(leaves(record(call)) if call.id == "mm1" else record(call))
    server.writer.tagged(CallTag("aa1", "booking", "kari", Way.PHONE, TEN + timedelta(minutes=2)))
    server.writer.arrived(a_code("kk1", at=TEN + 4.5 * HOUR), PLAN, ())
    server.writer.ended(informed(a_code("kk1", at=TEN + 4.5 * HOUR)))
    server.writer.arrived(a_call("cc1", at=TEN + 5 * HOUR), PLAN, TRACE)
    server.writer.advised(a_call("dd1"), "ring", TRACE)
    server.writer.advised(a_call("dd2", client="sund"), "ring", TRACE)
    server.start()
    eventually(lambda: server.writer.queued == 0)
    yield server
    server.stop()


LISTS = [
    ("all, the latest first", "", "reader", ["cc1", "mm1", "bb2", "bb1", "aa2", "aa1"]),
    ("feature codes, too", "?codes=true&since=2026-11-22T14:00:00Z", "reader", ["cc1", "kk1", "mm1"]),
    ("one client's", "?client=sund", "reader", ["bb1"]),
    ("by a token for one client", "", "fjord", ["cc1", "mm1", "aa2", "aa1"]),
    ("of one disposition", "?disposition=answered", "reader", ["bb1", "aa1"]),
    ("of one caller", "?caller=%2B4790000002", "reader", ["aa2"]),
    ("to one number", "?dialled=%2B4722334455&client=sund", "reader", ["bb1"]),
    ("since a moment", "?since=2026-11-22T14:00:00%2B00:00", "reader", ["cc1", "mm1"]),
    ("a plus that was not written as %2B", "?since=2026-11-22T15:00:00+01:00", "reader", ["cc1", "mm1"]),
    ("before a moment", "?before=2026-11-22T11:00:00Z", "reader", ["aa1"]),
    ("before all moments", "?before=0001-01-01T00:00:00%2B23:59", "reader", []),
    ("after all moments", "?since=9999-12-31T23:59:59-23:59", "reader", []),
    ("the two latest", "?limit=2", "reader", ["cc1", "mm1"]),
    ("those behind them", "?limit=2&after=mm1", "reader", ["bb2", "bb1"]),
]


@pytest.mark.parametrize(("query", "token", "ids"), [row[1:] for row in LISTS], ids=[row[0] for row in LISTS])
def test_calls_are_listed(api: ApiServer, query: str, token: str, ids: list[str]) -> None:
    answer = api.ask(f"/calls{query}", token)
    assert (answer.status, [call["id"] for call in answer.body["items"]]) == (200, ids)


def test_pages_lead_through_all_calls(api: ApiServer) -> None:
    seen, query = [], "?limit=4"
    while True:
        page = api.ask(f"/calls{query}").body
        seen += [call["id"] for call in page["items"]]
        if page["next"] is None:
            break
        query = f"?limit=4&after={page['next']}"
    assert seen == ["cc1", "mm1", "bb2", "bb1", "aa2", "aa1"]
    assert api.ask("/calls?after=aa1").body == {"items": [], "next": None}


def test_a_call_is_shown_whole(api: ApiServer) -> None:
    call = api.ask("/calls/aa1").body
    assert (call["disposition"], call["answered_by"], call["talk_seconds"]) == ("answered", "ola", 65.0)
    assert [one["outcome"] for one in call["attempts"]] == ["busy", "answered"]
    assert [one["who"] for one in call["talks"]] == ["ola", "per"]
    assert [one["what"] for one in call["evidence"]] == ["hangup_requested", "left"]
    assert [(one["tag"], one["who"]) for one in call["tags"]] == [("booking", "kari")]
    assert call["tagged"] == ["booking"]
    assert [one["event"]["event"] for one in call["timeline"]][:2] == ["LegRinging", "LegAnswered"]
    assert call["explanation"] == ["fjord.yaml:31: route main: taken"]
    live = api.ask("/calls/cc1").body
    assert (live["disposition"], live["ended_at"], live["attempts"]) == (None, None, [])


def test_a_past_call_is_explained(api: ApiServer) -> None:
    told = api.ask("/calls/aa2/explanation").body
    assert told["lines"] == ["fjord.yaml:31: route main: taken"]
    assert told["trace"] == msgspec.json.decode(*encoded([TRACE]))
    advised = api.ask("/calls/dd1/explanation", "fjord").body
    assert (advised["id"], advised["lines"]) == ("dd1", ["fjord.yaml:31: route main: taken"])
    assert api.ask("/calls/dd2/explanation", "fjord").status == 404, "of another client"
    assert api.ask("/calls/dd/explanation").status == 404


def test_calls_are_tagged_and_corrected(api: ApiServer) -> None:
    def post(path: str, token: str = "boss", **body: str) -> tuple[int, str]:
        answer = api.ask(f"/calls/{path}", token, method="POST", body=body)
        return answer.status, answer.body.get("detail", "")

    assert "demo_booked" in [tag["id"] for tag in api.ask("/tags").body["items"]]
    assert post("aa2/tags", tag="demo_booked", note="on\nFriday") == (200, "")
    assert post("aa2/tags", "fjords", tag="interested") == (200, "")
    assert post("aa2/tags", "boss", tag="interested") == (200, ""), "it is so already"
    call = api.ask("/calls/aa2").body
    assert call["tagged"] == ["demo_booked", "interested"]
    assert [(one["who"], one["way"], one["note"]) for one in call["tags"]] == [
        ("api:boss", "api", "onFriday"), ("api:fjords", "api", ""),
    ]  # fmt: skip
    assert api.ask("/calls/aa2/tags/interested", "boss", method="DELETE").body["removed"] is True
    assert [one["id"] for one in api.ask("/calls?tag=demo_booked").body["items"]] == ["aa2"]
    assert api.ask("/calls/aa2/tags/interested", "boss", method="DELETE").status == 404
    assert "did you mean `interested`?" in post("aa2/tags", tag="intrested")[1]
    assert post("bb1/tags", "fjords", tag="interested")[0] == 404, "of another client"
    assert post("aa2/corrections", disposition="busy", why="it was") == (201, "")
    assert post("aa2/corrections", disposition="busy", why="it was")[0] == 409, "it is so already"
    assert post("cc1/corrections", disposition="busy", why="it was")[0] == 409, "it is live"
    assert post("aa2/corrections", disposition="busy", why="")[0] == 400
    call = api.ask("/calls/aa2").body
    assert (call["disposition"], call["corrected"]) == ("abandoned", "busy")
    assert [one["why"] for one in call["corrections"]] == ["it was"]
    assert post("aa2/corrections", disposition="abandoned", why="it was not") == (201, "")


def test_agents_tag_the_calls_that_they_had(api: ApiServer) -> None:
    def tags(call: str) -> int:
        return api.ask(f"/calls/{call}/tags", "kari", method="POST", body={"tag": "interested"}).status

    assert tags("aa1") == 403, "ola and per had it"
    assert tags("cc1") == 403
    api.live = [msgspec.structs.replace(LIVE, id="cc1", talks_with="kari")]
    assert tags("cc1") == 200
    api.live = []


def test_queues_are_shown(api: ApiServer) -> None:
    queues = api.ask("/queues").body["items"]
    assert [(one["client"], one["queue"]) for one in queues] == [
        ("fjord", "desk"), ("fjord", "back"), ("sund", "front"),
    ]  # fmt: skip
    assert [one["queue"] for one in api.ask("/queues", "fjord").body["items"]] == ["desk", "back"]
    assert [one["queue"] for one in api.ask("/queues?client=sund").body["items"]] == ["front"]
    assert [one["person"] for one in api.ask("/queues/fjord/desk").body["agents"]] == ["kari", "ola"]


def test_agents_come_and_go(api: ApiServer) -> None:
    def do(what: str, token: str = "boss", **body: str) -> tuple[str, str]:
        sent = body if what == "pause" else None
        agent = api.ask(f"/agents/fjord/kari/{what}", token, method="POST", body=sent).body
        return agent["state"], agent["reason"]

    def said(what: str) -> tuple[int, str, str]:
        done = api.ask(f"/agents/fjord/kari/{what}", "boss", method="POST")
        return done.status, done.body["state"], done.body["remark"]

    assert api.ask("/agents/fjord/kari").body["queues"] == ["desk", "back"]
    assert do("pause", reason="lunch\n") == ("paused", "lunch")
    assert do("resume") == ("idle", "")
    assert do("logout", "kari") == ("logged_out", "")
    assert do("login", "fjords") == ("idle", "")
    assert do("pause", "kari") == ("paused", "pause")
    assert do("resume", "kari") == ("idle", "")
    assert [change.who for change in api.changes] == [
        "api:boss", "api:boss", "api:kari", "api:fjords", "api:kari", "api:kari",
    ]  # fmt: skip
    assert said("resume") == (200, "idle", "kari was not paused")
    out = "kari is logged out; `callrouter agents login kari`"
    assert said("logout") == (200, "logged_out", "")
    made = len(api.changes)
    assert said("resume") == (200, "logged_out", out)
    refused = api.ask("/agents/fjord/kari/pause", "boss", method="POST", body={"reason": "lunch"})
    assert (refused.status, refused.body["detail"]) == (409, out)
    assert len(api.changes) == made, "nothing was changed"
    assert said("login") == (200, "idle", "")
    assert [(one["client"], one["person"]) for one in api.ask("/agents?client=sund").body["items"]] == [
        ("sund", "per")
    ]


def test_messages_are_heard_and_done_with(api: ApiServer) -> None:
    (message,) = api.ask("/messages").body["items"]
    assert (message["id"], message["callback"], message["recorded"]) == ("mm1", "+4790000009", False)
    assert "is not here yet" in api.ask("/messages/mm1/recording").body["detail"]
    file_of(api.folder, "mm1").write_bytes(b"RIFF")
    messages = Messages(api.url)
    messages.fetched("mm1", TEN)
    heard = api.ask("/messages/mm1/recording", "fjord")
    assert (heard.status, heard.headers["Content-Type"], heard.body) == (200, "audio/x-wav", b"RIFF")
    assert api.ask("/messages/mm1/done", "boss", method="POST").body["done_by"] == "api:boss"
    assert api.ask("/messages").body["items"] == []
    assert [one["id"] for one in api.ask("/messages?done=true").body["items"]] == ["mm1"]
    assert api.ask("/messages?done=true&after=mm1").body == {"items": [], "next": None}
    messages.close()


def test_numbers_are_refused_and_admitted(api: ApiServer) -> None:
    def decide(token: str = "boss", **body: object) -> dict[str, object]:
        answer = api.ask("/numbers", token, method="POST", body=body)
        assert answer.status == 201, answer.body
        return dict(answer.body)

    before = api.verdicts_read
    for_all = decide(number="+4781549000", kind="block", why="sells\nthings")
    assert (for_all["client"], for_all["why"], for_all["who"]) == (None, "sellsthings", "api:boss")
    of_fjord = decide("fjords", number="815 49 000", kind="allow", **{"for": "30d"})
    assert (of_fjord["number"], of_fjord["client"]) == ("+4781549000", "fjord")
    assert str(of_fjord["until"]) > str(of_fjord["made_at"])
    assert [one["kind"] for one in api.ask("/numbers", "fjord").body["items"]] == ["block", "allow"]
    assert [one["kind"] for one in api.ask("/numbers?client=sund").body["items"]] == ["block"]
    undone = api.ask("/numbers/+4781549000", "fjords", method="DELETE")
    assert [one["kind"] for one in undone.body["items"]] == ["allow"]
    assert api.ask("/numbers/%2B4781549000", "fjords", method="DELETE").status == 404
    assert api.ask("/numbers/81549000", "boss", method="DELETE").status == 200
    assert api.ask("/numbers").body["items"] == []
    assert api.verdicts_read == before + 4


def test_who_is_to_be_called_back_is_listed_until_somebody_did(api: ApiServer) -> None:
    kari, anybody, sunds = (
        owe(api.url, "aa2", "kari"),
        owe(api.url, "aa1", ""),
        owe(api.url, "bb1", "", "sund"),
    )
    listed = api.ask("/obligations").body
    assert [one["id"] for one in listed["items"]] == [kari, anybody, sunds]
    assert (listed["items"][0]["number"], listed["next"]) == ("+4790000002", None)
    assert [one["id"] for one in api.ask("/obligations?owner=ola&client=fjord").body["items"]] == [anybody]
    first = api.ask("/obligations?limit=1", "fjord").body
    assert ([one["id"] for one in first["items"]], first["next"]) == ([kari], str(kari))
    done = api.ask(f"/obligations/{kari}/done", "kari", method="POST").body
    assert (done["id"], done["closed_by"]) == (kari, "api:kari")
    assert api.ask(f"/obligations/{kari}/done", "boss", method="POST").status == 409
    assert api.ask(f"/obligations/{sunds}/done", "kari", method="POST").status == 404
    olas = owe(api.url, "mm1", "ola")
    assert api.ask(f"/obligations/{olas}/done", "kari", method="POST").status == 403
    for id in (anybody, sunds, olas):
        assert api.ask(f"/obligations/{id}/done", "boss", method="POST").status == 200
    assert api.ask("/obligations").body["items"] == []
    assert len(api.ask("/obligations?done=true").body["items"]) == 4


def pages(api: ApiServer, path: str, token: str = "boss") -> list[list[int]]:
    """The ids on each page of a list, to its end."""
    found, after = [], ""
    while True:
        page = api.ask(f"{path}{after}", token).body
        found.append([one["id"] for one in page["items"]])
        if page["next"] is None:
            return found
        after = f"&after={page['next']}"


def test_obligations_come_in_pages(api: ApiServer) -> None:
    urgent = [owe(api.url, f"p{one}", "", number=f"+479000002{one}") for one in range(5)]
    assert pages(api, "/obligations?limit=2") == [urgent[:2], urgent[2:4], urgent[4:]]
    first = api.ask("/obligations?limit=2&done=true").body
    for id in (urgent[1], urgent[3]):  # On that page, and behind it.
        assert api.ask(f"/obligations/{id}/done", "boss", method="POST").status == 200
    rest = [one["id"] for one in api.ask(f"/obligations?done=true&after={first['next']}").body["items"]]
    assert rest[:2] == [urgent[2], urgent[4]], "what is done meanwhile moves no other"
    assert rest[2:4] == [urgent[3], urgent[1]]
    one_by_one = [id for page in pages(api, "/obligations?limit=1&done=true") for id in page]
    assert one_by_one == [urgent[0], urgent[2], urgent[4], urgent[3], urgent[1], *rest[4:]]
    sunds = owe(api.url, "p5", "", "sund")
    assert api.ask(f"/obligations?after={sunds}", "fjord").status == 422
    assert api.ask(f"/obligations?after={sunds},done", "boss").status == 422, "it is not done"
    for id in (urgent[0], urgent[2], urgent[4], sunds):
        assert api.ask(f"/obligations/{id}/done", "boss", method="POST").status == 200
    assert len(set(one_by_one)) == len(one_by_one)


def test_numbers_that_nobody_is_to_call_come_in_pages(api: ApiServer) -> None:
    body = {"number": "90000011"}
    entered = [
        api.ask("/do-not-contact", "boss", method="POST", body={"number": f"9000001{last}"}).body["id"]
        for last in range(5)
    ]
    assert pages(api, "/do-not-contact?limit=2") == [entered[:2], entered[2:4], entered[4:]]
    again = api.ask("/do-not-contact", "fjords", method="POST", body=body).body["id"]
    assert pages(api, "/do-not-contact?limit=1&number=90000011") == [[entered[1]], [again]]
    for last in range(5):
        assert api.ask(f"/do-not-contact/9000001{last}", "boss", method="DELETE").status == 200


def test_contacts_are_written_and_looked_up(api: ApiServer) -> None:
    def write(number: str, token: str = "boss", **body: object) -> dict[str, object]:
        answer = api.ask(f"/contacts/{number}", token, method="PUT", body=body)
        assert answer.status == 200, answer.body
        return dict(answer.body)

    before = list(api.contacts_read)
    shared = write("+4790000001", name="Anna Berg", groups=["vip", "press"], language="nb")
    assert (shared["client"], shared["groups"]) == (None, ["vip", "press"])
    own = write("900%2000%20001?client=fjord", name="Anna", notes="twins")
    assert (own["number"], own["client"]) == ("+4790000001", "fjord")
    assert write("90000003", "fjords", name="Bo")["client"] == "fjord"
    assert api.contacts_read[len(before) :] == ["+4790000001", "+4790000001", "+4790000003"]
    known = api.ask("/contacts/90000001").body["items"]
    assert [(one["client"], one["name"]) for one in known] == [(None, "Anna Berg"), ("fjord", "Anna")]
    page = api.ask("/contacts?limit=2").body
    assert [one["name"] for one in page["items"]] == ["Anna Berg", "Anna"]
    rest = api.ask(f"/contacts?after={page['next']}".replace("+", "%2B")).body
    assert ([one["name"] for one in rest["items"]], rest["next"]) == (["Bo"], None)
    assert [one["name"] for one in api.ask("/contacts?group=vip").body["items"]] == ["Anna Berg"]
    assert [one["name"] for one in api.ask("/contacts?search=TWINS", "fjord").body["items"]] == ["Anna"]
    assert write("+4790000001", name="Anna Vik")["groups"] == []
    assert api.ask("/contacts/90000003", "boss", method="DELETE").status == 404
    assert api.ask("/contacts/90000003", "fjords", method="DELETE").body["name"] == "Bo"
    assert api.ask("/contacts/90000003").status == 404


def test_who_calls_is_known_at_one_look(api: ApiServer) -> None:
    owed = owe(api.url, "cc1", "ola", number="+4790000001")
    stranger = api.ask("/contacts/90000001", "fjord").body
    assert [one["id"] for one in stranger["calls"]] == ["cc1", "mm1", "aa1"]
    assert [one["id"] for one in stranger["obligations"]] == [owed]
    everywhere = api.ask("/contacts/+4790000001").body
    assert [one["id"] for one in everywhere["calls"]] == ["cc1", "mm1", "bb2", "bb1", "aa1"]
    assert [one["id"] for one in api.ask("/obligations?number=90000001").body["items"]] == [owed]
    assert api.ask("/obligations?number=90000009").body["items"] == []
    assert api.ask(f"/obligations/{owed}/done", "boss", method="POST").status == 200
    assert api.ask("/contacts/90000001", "fjord").body["obligations"] == []


def test_nobody_is_to_call_a_number(api: ApiServer) -> None:
    entry = api.ask(
        "/do-not-contact", "fjords", method="POST", body={"number": "90000007", "for": "90d", "why": "asked"}
    ).body
    assert (entry["number"], entry["client"], entry["who"]) == ("+4790000007", "fjord", "api:fjords")
    assert entry["until"] > entry["made_at"]
    body = {"number": "+4790000008"}
    assert api.ask("/do-not-contact", "boss", method="POST", body=body).body["client"] is None
    numbers = [one["number"] for one in api.ask("/do-not-contact", "fjord").body["items"]]
    assert numbers == ["+4790000007", "+4790000008"]
    assert len(api.ask("/do-not-contact?number=90000008").body["items"]) == 1
    assert api.ask("/do-not-contact/90000008", "fjords", method="DELETE").status == 404
    assert api.ask("/do-not-contact/90000008", "boss", method="DELETE").status == 200
    assert api.ask("/do-not-contact/90000007", "fjords", method="DELETE").status == 200
    assert api.ask("/do-not-contact").body["items"] == []


def test_a_call_that_nobody_places_is_explained(api: ApiServer) -> None:
    asked = {
        "to": "+4722334455",
        "from": "+4790000009",
        "given": {"kari": ["busy"]},
        "at": "2026-11-23T10:00:00",
    }
    told = api.ask("/explain", method="POST", body=asked).body
    assert (told["client"], told["route"], told["steps"]) == ("fjord", "main", ["ring", "queue"])
    assert (told["disposition"], told["answered_by"]) == ("answered", "ola")
    assert told["lines"][-1] == "fjord.yaml:11: route main: taken"
    assert told["at"].startswith("2026-11-23T10:00:00+01:00"), "by the client's clock"
    more = {"called": "5 calls in 10m", "contact": ["vip"], "queues": {"desk": {"waiting": 3}}}
    assert api.ask("/explain", "fjord", method="POST", body=asked | more).status == 200
    assert api.ask("/explain", method="POST", body={"to": "+4799999999"}).body["client"] is None


def test_who_is_a_contact_is_one_in_an_explanation(api: ApiServer) -> None:
    api.ask("/contacts/+4790000055", "boss", method="PUT", body={"groups": ["vip"]})
    asked = {"to": "+4722334455", "from": "+4790000055", "at": "2026-11-23T10:00:00"}
    assert api.ask("/explain", method="POST", body=asked).body["route"] == "vip"
    assert api.ask("/explain", method="POST", body=asked | {"contact": []}).body["route"] == "main"


def test_rules_are_shown_and_read_again(api: ApiServer) -> None:
    assert [one["id"] for one in api.ask("/rules").body["clients"]] == ["fjord", "sund"]
    assert [one["id"] for one in api.ask("/rules", "fjord").body["clients"]] == ["fjord"]
    loaded = api.ask("/rules/reload", "admin", method="POST").body
    assert (loaded["version"], loaded["clients"]) == (api.rules.version, 2)
    api.outcome = refused_rules()
    refused = api.ask("/rules/reload", "admin", method="POST")
    api.outcome = api.rules
    assert (refused.status, refused.body["errors"]) == (422, ["fjord.yaml:1:1: this is wrong"])


# What is refused.

Refusal = tuple[str, str, str, str | None, object, int, str]
REFUSED: list[Refusal] = [
    ("no token", "GET", "/calls", None, None, 401, "callrouter token create"),
    ("a token of nobody", "GET", "/calls", "guessed", None, 401, "unknown, revoked or over"),
    ("another client", "GET", "/calls?client=sund", "fjord", None, 403, "for fjord only"),
    ("another client's call", "GET", "/calls/bb1", "fjord", None, 404, "there is no call `bb1`"),
    ("a call of nobody", "GET", "/calls/bb2", "fjord", None, 404, "there is no call `bb2`"),
    ("another client's queue", "GET", "/queues/sund/front", "fjord", None, 403, "for fjord only"),
    ("another client's agent", "POST", "/agents/sund/per/login", "fjords", None, 403, "for fjord only"),
    ("another agent", "POST", "/agents/fjord/ola/login", "kari", None, 403, "for kari only"),
    ("another client's number", "POST", "/numbers", "fjords",
     {"number": "+4781549000", "kind": "block", "client": "sund"}, 403, "for fjord only"),
    ("another client's call that nobody places", "POST", "/explain", "fjord", {"to": "+4722334466"}, 403,
     "no number of theirs"),
    ("only the beginning of an id", "GET", "/calls/aa", "reader", None, 404, "there is no call `aa`"),
    ("no id", "GET", "/calls/AA%20", "reader", None, 400, "`id`"),
    ("no queue", "GET", "/queues/fjord/dask", "reader", None, 404, "fjord has no queue `dask`"),
    ("no agent", "GET", "/agents/fjord/karo", "reader", None, 404, "did you mean `kari`?"),
    ("no message", "GET", "/messages/aa1/recording", "reader", None, 404, "there is no message `aa1`"),
    ("no parameter", "GET", "/calls?clent=fjord", "reader", None, 400, "did you mean `client`?"),
    ("no parameter, where there is none", "GET", "/rules?x=1", "reader", None, 400, "leave all out"),
    ("twice", "GET", "/calls?limit=1&limit=2", "reader", None, 400, "given 2 times"),
    ("no number", "GET", "/calls?limit=many", "reader", None, 400, "`limit`: Expected `int`"),
    ("what no number has", "GET", "/calls?caller=%00", "reader", None, 400, "`caller`"),
    ("too many", "GET", "/calls?limit=1000", "reader", None, 400, "`limit`: Expected `int` <= 100"),
    ("no value", "GET", "/events?after=null", "reader", None, 400, "`after` has no value"),
    ("no moment", "GET", "/calls?since=2026-11-22", "reader", None, 400,
     "`since`: this is no moment; write it as in 2026-11-28T09:00:00Z"),
    ("no zone", "GET", "/calls?before=2026-11-22T09:00:00", "reader", None, 400,
     "`before`: this moment has no zone; write it as in 2026-11-28T09:00:00Z"),
    ("no moment to explain", "POST", "/explain", "reader", {"to": "1", "at": "now"}, 400,
     "`at`: this is no moment; write it as in 2026-11-28T09:00:00Z"),
    ("no disposition", "GET", "/calls?disposition=nope", "reader", None, 400,
     "`disposition`: there is no such value; write one of blocked, answered, dropped,"),
    ("no type of events", "GET", "/events?type=call.ended&type=nope", "reader", None, 400,
     "`type[1]`: this cannot stand here; write one of call.arrived, call.routed,"),
    ("no id of a client", "GET", "/calls?client=1%202", "reader", None, 400,
     "`client`: this cannot stand here; write an id, as in the rules"),
    ("no page of calls", "GET", "/calls?after=A", "reader", None, 400, "write a call's id"),
    ("no page", "GET", "/calls?after=zz", "reader", None, 422, "`after` is no call: `zz`"),
    ("no JSON", "POST", "/explain", "reader", b"{", 400, "Input data was truncated"),
    ("no UTF-8", "POST", "/explain", "reader", b'{"to": "\xff"}', 400, "utf-8"),
    ("no field", "POST", "/explain", "reader", {"to": "1", "form": "2"}, 400, "unknown field `form`"),
    ("not a field", "POST", "/explain", "reader", {}, 400, "missing required field `to`"),
    ("too much", "POST", "/explain", "reader", b" " * 70_000, 413, "65536 bytes"),
    ("nobody", "POST", "/explain", "reader", {"to": "+4722334455", "given": {"karo": ["busy"]}}, 422,
     "did you mean `kari`?"),
    ("nobody of theirs", "POST", "/explain", "fjord", {"to": "+4722334455", "given": {"per": ["busy"]}}, 422,
     "nobody is called `per`"),
    ("no queue that there is", "POST", "/explain", "reader", {"to": "1", "queues": {"dask": {}}}, 422,
     "no queue is called `dask`"),
    ("no rate", "POST", "/explain", "reader", {"to": "1", "called": "often"}, 422, "5 calls in 10m"),
    ("no year", "POST", "/explain", "reader", {"to": "+4722334455", "at": "0001-01-01T00:00:00"}, 422,
     "1 is no year to call in"),
    ("the last moment", "POST", "/explain", "reader", {"to": "1", "at": "9999-12-31T23:59:59Z"}, 422,
     "9999 is no year"),
    ("no client", "POST", "/numbers", "boss", {"number": "1", "kind": "block", "client": "fjard"}, 422,
     "did you mean `fjord`?"),
    ("no number that there is", "POST", "/numbers", "boss", {"number": "12", "kind": "block"}, 422, "12"),
    ("no time", "POST", "/numbers", "boss", {"number": "+4781549000", "kind": "block", "for": "0s"}, 422,
     "no time at all"),
    ("no kind", "POST", "/numbers", "boss", {"number": "+4781549000", "kind": "deny"}, 400,
     "`kind`: there is no such value; write one of block, allow"),
    ("too deep", "POST", "/explain", "reader", b"[" * 60_000, 400, "nested too deeply"),
    ("no obligation", "POST", "/obligations/77/done", "boss", None, 404, "there is no obligation 77"),
    ("no page of obligations", "GET", "/obligations?after=77", "reader", None, 422,
     "`after` is no obligation: `77`; give `next` of a page"),
    ("no place among obligations", "GET", "/obligations?after=x", "reader", None, 400, "`after`"),
    ("too many entries", "GET", "/do-not-contact?limit=1000", "reader", None, 400, "`limit`"),
    ("another client's contact", "PUT", "/contacts/+4790000001?client=sund", "fjords", {}, 403,
     "for fjord only"),
    ("no language", "PUT", "/contacts/+4790000001", "boss", {"language": "norsk norsk"}, 422, "language"),
    ("a reader's contact", "PUT", "/contacts/+4790000001", "reader", {}, 403, "supervisor"),
    ("no place", "GET", "/contacts?after=1", "reader", None, 400, "`after`"),
    ("a number that may be called", "DELETE", "/do-not-contact/+4790000099", "boss", None, 404,
     "may be called"),
    ("nothing decided", "DELETE", "/numbers/+4781549001", "boss", None, 404, "nothing is decided of"),
    ("no path", "GET", "/calls/aa1/more", "reader", None, 404, "/api/v1/openapi.json says what it has"),
    ("no method", "DELETE", "/calls", "reader", None, 405, "DELETE is not for this; it takes GET"),
    ("no question of a browser first", "OPTIONS", "/calls", "reader", None, 405, "OPTIONS is not for this"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "token", "body", "status", "detail"),
    [row[1:] for row in REFUSED],
    ids=[row[0] for row in REFUSED],
)
def test_what_cannot_be_is_told(
    api: ApiServer, method: str, path: str, token: str | None, body: object, status: int, detail: str
) -> None:
    answer = api.ask(path, token, method=method, body=body)
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert detail in answer.body["detail"]
    assert answer.body["status"] == status
    assert answer.body["type"].startswith("urn:callrouter:problem:")


def test_whatever_has_a_pattern_says_what_to_write() -> None:
    told = [
        next(to_write(field.type))
        for one in RESOURCES
        for route in one.routes
        for read in (route.asked, route.body)
        for field in msgspec.structs.fields(read)
        if "pattern=" in str(field.type)
    ]
    assert all(told)


def test_what_is_no_json_by_its_header_is_refused(api: ApiServer) -> None:
    answer = api.ask("/explain", method="POST", body={"to": "1"}, Content_Type="text/plain")
    assert (answer.status, "Content-Type: application/json" in answer.body["detail"]) == (415, True)


def test_who_may_come_is_asked_for_a_token(api: ApiServer) -> None:
    assert api.ask("/calls", None).headers["WWW-Authenticate"].startswith("Bearer")
    assert api.ask("/calls", None, Authorization="Basic cm9vdDpyb290").status == 401
    assert api.ask("/calls", None, Authorization="bearer reader").status == 200
    assert api.ask("/calls", None, Authorization="Bearer \xff").status == 401


ORDER = ("reader", "kari", "boss", "admin")
"""A token of each role, each of which may what those before it may."""
PLACES = {
    "client": "fjord",
    "person": "kari",
    "id": "zz",
    "queue": "desk",
    "number": "+4781549002",
    "tag": "x",
}
ROLES = [
    (route.method, route.path, route.role)
    for one in RESOURCES
    for route in one.routes
    if route.path != "/events"  # It never ends: test_api_events.py.
]


@pytest.mark.parametrize(("method", "path", "role"), ROLES, ids=[f"{row[0]} {row[1]}" for row in ROLES])
def test_each_role_may_what_its_route_says(api: ApiServer, method: str, path: str, role: str) -> None:
    for token in ORDER:
        answer = api.ask(path.format(**PLACES), token, method=method)
        may = {"kari": "agent", "boss": "supervisor"}.get(token, token)
        covers = ["reader", "agent", "supervisor", "admin"].index(may) >= [
            "reader", "agent", "supervisor", "admin",
        ].index(role)  # fmt: skip
        assert (answer.status != 403) is covers, (token, answer.body)


def test_answers_are_of_no_use_to_a_page_in_a_browser(api: ApiServer) -> None:
    for answer in (
        api.ask("/rules", Origin="https://elsewhere.example"),
        api.ask("/rules", None),
        api.ask("/x"),
    ):
        assert answer.headers["Access-Control-Allow-Origin"] is None
        assert answer.headers["Set-Cookie"] is None
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Server"] == "callrouter"


def test_the_document_needs_no_token(api: ApiServer) -> None:
    answer = api.ask("/openapi.json", None)
    assert (answer.status, answer.body["openapi"]) == (200, "3.1.0")


def test_without_a_database_what_needs_none_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "ANEW_AFTER", 0.0)
    server = ApiServer(tmp_path)
    server.start()
    assert server.ask("/live", "boss").status == 200, "the tokens are known"
    file = tmp_path / "callrouter.db"
    file.rename(tmp_path / "away.db")
    try:
        for path in ("/calls", "/calls/aa1", "/messages", "/numbers"):
            refused = server.ask(path, "boss")
            assert (refused.status, refused.headers["Retry-After"]) == (503, "5"), path
            assert "the router's log says why" in refused.body["detail"]
        for path in ("/live", "/queues", "/agents", "/rules"):
            assert server.ask(path, "boss").status == 200, path
        paused = server.ask("/agents/fjord/kari/pause", "boss", method="POST", body={})
        assert paused.body["state"] == "paused"
        monkeypatch.setattr(tokens, "FOR_UNKNOWN", 0.0)
        assert server.ask("/live", "of somebody").status == 503, "it may be one"
    finally:
        (tmp_path / "away.db").rename(file)
        server.stop()


def test_a_fault_of_ours_is_told_and_tells_nothing(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "live", None)
    answer = api.ask("/live")
    assert (answer.status, answer.body["type"]) == (500, "urn:callrouter:problem:fault")
    assert answer.body["detail"] == "this is a fault of callrouter's own; its log has more"
    assert api.ask("/rules").status == 200


def test_a_body_that_does_not_come_is_not_waited_for(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LIMIT", 0.2)
    with socket.create_connection(("127.0.0.1", api.port), timeout=10) as slow:
        head = "POST /api/v1/explain HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer reader\r\n"
        slow.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
        assert b" 408 " in slow.recv(4096)


def test_what_is_changed_is_logged_with_who_did_it_and_no_number(api: ApiServer) -> None:
    api.ask("/agents/fjord/kari/login", "boss", method="POST")
    with capture_logs() as entries:
        api.ask("/numbers", "boss", method="POST", body={"number": "+4781549003", "kind": "block"})
        api.ask("/agents/fjord/kari/pause", "kari", method="POST", body={"reason": "lunch"})
        api.ask("/agents/fjord/kari/resume", "kari", method="POST")
        api.ask("/numbers", "boss")
    changes = [{**entry} for entry in entries if entry["event"] == "changed by api"]
    assert [(one["what"], one["token"]) for one in changes] == [
        ("decide_number", "boss"), ("pause_agent", "kari"), ("resume_agent", "kari"),
    ]  # fmt: skip
    assert changes[1]["person"] == "kari"
    assert "+4781549003" not in str(mask_numbers(None, "", changes[0]))


def test_what_is_asked_is_counted(api: ApiServer) -> None:
    def counts() -> dict[tuple[str, ...], float]:
        return {
            tuple(sample.labels.values()): sample.value
            for family in api.figures.collect()
            for sample in family.samples
        }

    before = counts()
    api.ask("/rules")
    api.ask("/rules", None)
    api.ask("/nothing/of/ours")
    api.ask("/rules", method="PUT")
    after = counts()
    grown = {key: value - before.get(key, 0) for key, value in after.items() if value != before.get(key)}
    assert grown == {
        ("show_rules", "200"): 1, ("show_rules", "401"): 1, ("nothing", "404"): 1, ("nothing", "405"): 1,
    }  # fmt: skip
    assert after[()] == 0, "nobody listens"
