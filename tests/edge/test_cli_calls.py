"""`callrouter calls`, `call` and `settings`, as they are typed."""

import io
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from router.cli import calls as calls_command
from router.cli import settings as settings_command
from router.cli.calls import as_object, ended_calls, parse_since, row
from router.cli.labels import Labels
from router.cli.main import app
from router.cli.words import event_in_words, length
from router.core import events
from router.core.events import CallEvent
from router.core.plan import CallPlan
from router.core.record import CallRecord
from router.edge.store.database import prepare
from router.edge.store.queries import CallFilter, ListedCall, Queries
from router.edge.store.writer import Writer
from tests.edge.stories import PLAN, TALK, TEN, TRACE, a_call, a_code, abandoned, talked


class Router:
    """A router's folder: its settings, its database, and what was typed beside it."""

    def __init__(self, folder: Path) -> None:
        self.config = folder / "callrouter.yaml"
        self.config.write_text("state: state\n")
        self.url = f"sqlite:///{folder / 'state' / 'callrouter.db'}"

    def write(self, *calls: str) -> None:
        """Calls by id; `talked`, `abandoned` and `live` in it say what became of them, `code` that nobody
        called."""
        prepare(self.url)
        writer = Writer(self.url, queue_limit=1000)
        for number, id in enumerate(calls):
            made = a_code if "code" in id else a_call
            call = made(id, at=TEN + timedelta(hours=number), client="acme" if "acme" in id else "fjord")
            writer.arrived(call, PLAN, TRACE)
            for seq, event in enumerate(TALK, start=1):
                writer.happened(id, seq, call.arrived_at + timedelta(seconds=seq), event)
            if "live" not in id:
                writer.ended(talked(call) if "talked" in id else abandoned(call))
        writer.start()
        assert writer.close(20) == 0

    def type(self, *words: str, exit_code: int = 0) -> str:
        done = CliRunner().invoke(app, [*words, "--config", str(self.config)])
        assert done.exit_code == exit_code, done.output
        return done.output


@pytest.fixture
def router(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Router]:
    monkeypatch.setenv("TZ", "Europe/Oslo")
    time.tzset()
    yield Router(tmp_path)
    monkeypatch.undo()
    time.tzset()


# calls


def test_the_list_has_a_line_for_each_call_the_latest_last(router: Router) -> None:
    router.write("talked-1", "abandoned-2", "live-3")
    head, first, second, third = router.type("calls").splitlines()
    assert head.split("  ")[0] == "time"
    assert "attempts" in head
    assert first.split() == [
        "2026-11-22",
        "11:00:00",
        "talked-1",
        "fjord",
        "+4722334455",
        "+4790000001",
        "-",
        "main",
        "answered",
        "caller",
        "4",
        "s",
        "1:05",
        "kari",
        "busy,",
        "ola",
        "answered",
    ]
    assert "abandoned" in second
    assert "early" in second
    assert third.endswith("(live)")


def test_json_has_an_object_a_line(router: Router) -> None:
    router.write("talked-1", "live-2")
    first, second = map(json.loads, router.type("calls", "--json").splitlines())
    assert (first["id"], first["disposition"], first["attempts"][1]["target"]) == (
        "talked-1",
        "answered",
        "ola",
    )
    assert first["arrived_at"] == "2026-11-22T10:00:00.123456Z"
    assert (second["id"], second["disposition"]) == ("live-2", None)
    assert "info" not in first


CHOICES = [
    ("client", ["--client", "acme"], ["talked-acme-2"]),
    ("disposition", ["--disposition", "abandoned"], ["abandoned-3"]),
    ("since", ["--since", "2026-11-22 13:00"], ["abandoned-3", "live-4"]),
    ("limit", ["--limit", "2"], ["abandoned-3", "live-4"]),
    ("nothing fits, and JSON says nothing", ["--client", "nobody"], []),
]


def test_feature_codes_are_listed_where_they_are_asked_for(router: Router) -> None:
    router.write("talked-1", "code-2")

    def ids(*words: str) -> list[str]:
        return [json.loads(line)["id"] for line in router.type("calls", "--json", *words).splitlines()]

    assert (ids(), ids("--codes")) == (["talked-1"], ["talked-1", "code-2"])
    assert "agent code kept" in router.type("call", "code-2")


@pytest.mark.parametrize(("words", "ids"), [row[1:] for row in CHOICES], ids=[row[0] for row in CHOICES])
def test_a_choice_of_calls(router: Router, words: list[str], ids: list[str]) -> None:
    router.write("talked-1", "talked-acme-2", "abandoned-3", "live-4")
    lines = router.type("calls", "--json", *words).splitlines()
    assert [json.loads(line)["id"] for line in lines] == ids


def test_a_terminal_gets_a_table(router: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    router.write("talked-1")
    out = io.StringIO()
    monkeypatch.setattr(calls_command, "Console", lambda: Console(file=out, force_terminal=True, width=250))
    router.type("calls")
    assert "talked-1" in out.getvalue()
    assert "\N{BOX DRAWINGS LIGHT VERTICAL}" in out.getvalue()


def test_a_name_in_a_table_is_no_markup(router: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    router.write("talked-1")
    out = io.StringIO()
    monkeypatch.setattr(calls_command, "Console", lambda: Console(file=out, force_terminal=True, width=250))
    monkeypatch.setattr(calls_command, "row", lambda call, names: ("main [night]", "[/]", ":bell:"))
    router.type("calls")
    assert all(cell in out.getvalue() for cell in ("main [night]", "[/]", ":bell:"))


def test_no_calls_yet(router: Router) -> None:
    router.write()
    assert router.type("calls").startswith("no calls yet")
    assert router.type("calls", "--json") == ""


def test_no_calls_fit(router: Router) -> None:
    router.write("talked-1")
    assert router.type("calls", "--client", "acme", "--since", "2026-11-22") == (
        "no calls match --client acme --since 2026-11-22 00:00:00; there are 1 in all\n"
    )


def test_an_anonymous_call_without_a_client(router: Router) -> None:
    call = ListedCall(msgspec.structs.replace(a_call("c1"), caller="", client=None, route=None), None)
    assert row(call, Labels())[1:8] == ("c1", "-", "+4722334455", "anonymous", "-", "-", "(live)")
    assert as_object(call)["client"] is None


def test_following_shows_each_call_once_when_it_ends(router: Router) -> None:
    router.write("live-1")
    queries = Queries(router.url)
    began = datetime.now(UTC)
    listed = [ListedCall(a_call("shown-0"), ending("shown-0", began))]

    def end(*ids: str) -> None:
        writer = Writer(router.url, queue_limit=1000)
        for number, id in enumerate(ids):
            writer.ended(ending(id, began + timedelta(seconds=number)))
        writer.start()
        assert writer.close(20) == 0

    looks: Iterator[Callable[[], None]] = iter(
        [lambda: end("shown-0"), lambda: end("live-1"), lambda: None, lambda: end("b-2", "a-3")]
    )
    followed = ended_calls(queries, CallFilter(), began, listed, lambda: next(looks)())
    assert [call.info.id for call in islice(followed, 3)] == ["live-1", "b-2", "a-3"]
    queries.close()


def ending(id: str, at: datetime) -> CallRecord:
    return msgspec.structs.replace(abandoned(a_call(id)), ended_at=at)


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["lines", "JSON"])
def test_following_ends_quietly_when_interrupted(
    router: Router, monkeypatch: pytest.MonkeyPatch, form: list[str]
) -> None:
    router.write("talked-1")

    def one_call_then_interrupt(*_: object) -> Iterator[ListedCall]:
        yield ListedCall(a_call("talked-2"), talked(a_call("talked-2")))
        raise KeyboardInterrupt

    monkeypatch.setattr(calls_command, "ended_calls", one_call_then_interrupt)
    told = router.type("calls", "--follow", *form)
    assert "talked-1" in told
    assert "talked-2" in told.splitlines()[-1]


SINCE = [
    ("an hour", "1h", TEN - timedelta(hours=1)),
    ("an hour and a half", "1h30m", TEN - timedelta(minutes=90)),
    ("a week", "7d", TEN - timedelta(days=7)),
    ("a day", "2026-11-22", datetime(2026, 11, 21, 23, tzinfo=UTC)),
    ("a minute", "2026-11-22 10:00", datetime(2026, 11, 22, 9, tzinfo=UTC)),
    ("a moment with its zone", "2026-11-22T10:00:00Z", datetime(2026, 11, 22, 10, tzinfo=UTC)),
]


@pytest.mark.parametrize(("text", "moment"), [row[1:] for row in SINCE], ids=[row[0] for row in SINCE])
def test_since(router: Router, text: str, moment: datetime) -> None:
    assert parse_since(text, TEN) == moment


def test_since_something_else(router: Router) -> None:
    with pytest.raises(typer.BadParameter, match="write 1h, 7d"):
        parse_since("yesterday")
    assert "yesterday" in router.type("calls", "--since", "yesterday", exit_code=2)


# What is missing or wrong.


@pytest.mark.parametrize("words", [["calls"], ["call", "c1"]], ids=["calls", "call"])
def test_no_database(router: Router, words: list[str]) -> None:
    told = router.type(*words, exit_code=1)
    assert told.startswith("there is no database at")
    assert "Traceback" not in told


def test_wrong_settings(router: Router) -> None:
    router.config.write_text("loop: fast\n")
    assert ":1:1: loop: `fast`" in router.type("calls", exit_code=2)


# call


def test_the_story_of_a_call(router: Router) -> None:
    router.write("talked-1")
    told = router.type("call", "talked-1").splitlines()
    assert told == [
        "call talked-1",
        "  arrived      2026-11-22 11:00:00, from +4790000001 to +4722334455",
        "  client       fjord, route main, rules r1",
        "  disposition  answered, while talking; hung up by: caller",
        "  talked with  ola",
        "  talk         ola, 5 s, 2 s on hold; ended by: blind transfer",
        "  talk         per, 1:00; ended by: hung up",
        "  times        rang 4 s, waited 6 s, talked 1:05, on hold 2 s",
        "  flags        glare",
        "",
        "Why it went there",
        "  fjord.yaml:31: route main: taken",
        "",
        "What happened",
        "     +1.000 s  kari: rings",
        "     +2.000 s  kari: answers",
        "     +3.000 s  the caller: hangs up (cause 16)",
        "     +4.000 s  the caller: ended (cause 16, SIP 200)",
        "",
        "Phones rung",
        "  1. kari (PJSIP/kari): busy, cause 17, SIP 486",
        "  2. ola (PJSIP/ola): answered, rang 4 s",
        "",
        "Evidence",
        "    +71.000 s  the caller: hangup requested, cause 16",
        "    +71.000 s  ola: left, soft, late",
    ]


def test_a_live_call(router: Router) -> None:
    router.write("live-1")
    told = router.type("call", "live")
    assert "none yet: the call is live" in told
    assert "leg 1: rings" in told
    assert "Evidence" not in told


def test_a_call_that_is_known_by_its_end_alone(router: Router) -> None:
    prepare(router.url)
    writer = Writer(router.url, queue_limit=1000)
    writer.ended(abandoned(a_call("c1")))
    writer.start()
    writer.close(20)
    told = router.type("call", "c1")
    assert "abandoned (early), while greeting" in told
    assert told.count("nothing is stored") == 4
    assert json.loads(router.type("call", "c1", "--json"))["plan"] is None


def test_an_event_of_another_version_is_shown_as_it_is(router: Router) -> None:
    router.write("live-1")
    writer = Writer(router.url, queue_limit=1000)
    unheard_of: Any = msgspec.Raw(b'{"event":"Teleported"}')
    writer.happened("live-1", 5, TEN, unheard_of)
    writer.start()
    writer.close(20)
    assert '{"event":"Teleported"}' in router.type("call", "live-1")


def test_a_call_as_json(router: Router) -> None:
    router.write("talked-1")
    story = json.loads(router.type("call", "talked", "--json"))
    assert (story["id"], story["disposition"], story["trace"][0]["name"]) == ("talked-1", "answered", "main")
    assert story["timeline"][0]["event"] == {"event": "LegRinging", "leg": 1}
    assert story["plan"]["nodes"][0]["step"] == {"type": "hangup"}


def test_no_such_call_and_several(router: Router) -> None:
    router.write("talked-1", "talked-2")
    assert "no call's id begins with x" in router.type("call", "x", exit_code=1)
    assert "several calls' ids begin with talked: talked-1, talked-2" in router.type(
        "call", "talked", exit_code=1
    )


EVENTS: list[tuple[CallEvent, str]] = [
    (events.LegReady(1), "ola: ready to be dialled"),
    (events.LegRinging(1), "ola: rings"),
    (events.LegAnswered(1), "ola: answers"),
    (events.LegAnswered(0), "the caller: answered by us"),
    (events.HangupRequested(1, 16), "ola: hangs up (cause 16)"),
    (events.HangupRequested(0, 32, soft=True), "the caller: Asterisk asks to hang up (cause 32)"),
    (events.LegLeft(0), "the caller: left"),
    (events.LegEnded(2, 17, 486), "leg 2: ended (cause 17, SIP 486)"),
    (events.LegLost(1), "ola: found gone, its end was not seen"),
    (events.PlaybackEnded(1), "prompt 1 is over"),
    (events.PlaybackEnded(1, failed=True), "prompt 1 could not be played"),
    (events.PeopleFound("52"), "52 finds nobody"),
    (events.PeopleFound("52", more=True), "52 finds too many"),
    (events.PeopleFound("52", (events.Found("kari", ()), events.Found("ola", ()))), "52 finds kari, ola"),
    (events.PersonChosen("kari", CallPlan(())), "goes on with kari"),
    (events.Supervised("mia", "listen"), "mia listens in"),
    (events.Supervised("mia", "barge"), "mia joins the talk, heard by both"),
    (events.TimerFired("ring"), "timer `ring` ran out"),
    (events.CommandFailed("DialLeg", 1, 500, "Internal"), "ola: DialLeg failed (500 Internal)"),
    (events.CommandFailed("DialLeg", 1, 0), "ola: DialLeg failed (no reply)"),
    (events.BridgeLost(), "the bridge between the two was found gone"),
    (events.RouterReturned(), "the router sees Asterisk again"),
    (events.AsteriskLost(), "Asterisk went down, and the call with it"),
]


@pytest.mark.parametrize(("event", "words"), EVENTS, ids=[row[1] for row in EVENTS])
def test_events_in_words(event: CallEvent, words: str) -> None:
    assert event_in_words(event, {0: "the caller", 1: "ola"}) == words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, ""), (0.2, "0.2 s"), (4.4, "4 s"), (59.7, "1:00"), (125, "2:05"), (3725, "1:02:05")],
)
def test_lengths(seconds: float, text: str) -> None:
    assert length(seconds) == text


# settings, and the command itself


def test_the_reference_of_settings(router: Router) -> None:
    told = CliRunner().invoke(app, ["settings"]).output
    assert (
        "dead_man: a waiting call falls to the dialplan so long after the router died\n  default: 12s\n"
        in told
    )
    assert "variable: CALLROUTER_ARI__URL" in told
    assert "in use" not in told


def test_the_reference_with_what_is_in_use(router: Router) -> None:
    router.config.write_text(
        "ari: {password: hush-hush}\ndead_man: 8s\ndestinations: [+47*, +46*]\ndatabase: sqlite:///hush.db\n"
    )
    rows = {row["name"]: row for row in map(json.loads, router.type("settings", "--json").splitlines())}
    shown = {
        name: rows[name]["in_use"] for name in ("dead_man", "destinations", "web.port", "ari.password_file")
    }
    assert shown == {
        "dead_man": "8s",
        "destinations": "+47*, +46*",
        "web.port": "8090",
        "ari.password_file": "",
    }
    assert "hush" not in router.type("settings") + router.type("settings", "--json")
    assert "in use: 8s" in router.type("settings")


@pytest.mark.parametrize("with_config", [False, True])
def test_the_reference_on_a_terminal(
    router: Router, monkeypatch: pytest.MonkeyPatch, with_config: bool
) -> None:
    out = io.StringIO()
    monkeypatch.setattr(
        settings_command, "Console", lambda: Console(file=out, force_terminal=True, width=300)
    )
    config = ["--config", str(router.config)] if with_config else []
    assert CliRunner().invoke(app, ["settings", *config]).exit_code == 0
    assert "CALLROUTER_DEAD_MAN" in out.getvalue()
    assert ("in use" in out.getvalue()) is with_config


def test_version() -> None:
    assert CliRunner().invoke(app, ["--version"]).output.startswith("callrouter ")
