"""Callers wait for agents: order, wrap-up, those who come and go, and a router that dies meanwhile."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import pairwise
from typing import Any

import pytest

from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase
from router.core.record import AttemptOutcome, CallRecord, Disposition, Party, Phase
from router.edge.store.outbox import Outbox
from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox
from tests.harness.sipp import (
    ANSWERED,
    CALL_AS_PHONE,
    CALLED,
    CANCELLED,
    HUNG_UP_ON,
    INVITE,
    INVITE_HEARING,
    PICK_UP,
    RINGING,
    Move,
    Sipp,
    bye,
    hang_up,
    pause,
    reject,
)
from tests.harness.waiting import wait_until
from tests.live.conftest import BringUp, RunRouter
from tests.live.switchboard import Switchboard, talks

pytestmark = pytest.mark.live

DESK, TOLD, PAIR, MIXED, SMALL, LASTING, ALL, WRAP, IDLEST, FEWEST = (
    f"+472233445{digit}" for digit in range(10)
)
WARY = "+4722334460"
FJORD = """\
client: fjord
name: Fjord
numbers: ["+47 22 33 44 5x", "+47 22 33 44 60"]
timezone: Europe/Oslo
country: NO
language: nb
people:
  kari: {rings: PJSIP/100}
  ola: {rings: PJSIP/101}
  per: {rings: PJSIP/102}
  fast: {rings: PJSIP/110}
  declines: {rings: PJSIP/111}
  silent: {rings: PJSIP/112}
  busy: {rings: PJSIP/113}
  away: {rings: PJSIP/114}
  early: {rings: PJSIP/115}
  slow: {rings: PJSIP/116}
  last: {rings: PJSIP/117}
queues:
  desk: {agents: kari, wrap_up: 2s}
  told: {agents: ola, announce: {position: true, every: 10s}}
  pair: {agents: [kari, ola], strategy: in-order, ring_for: 3s, pause_after: 2}
  mixed:
    agents: [fast, declines, silent, busy, away, early, slow, last]
    strategy: round-robin
    ring_for: 2s
  idlest: {agents: [fast, declines, silent, busy, away, early, slow, last], ring_for: 2s}
  fewest:
    agents: [fast, declines, silent, busy, away, early, slow, last]
    strategy: fewest-calls
    ring_for: 2s
  small: {agents: per, max_waiting: 1}
  lasting: {agents: [per, fast, early, last]}
  all: {agents: [kari, ola], strategy: ring-all}
  wrap: {agents: last, wrap_up: 30s}
  wary: {agents: [fast, ola], strategy: in-order, whisper: "Fra {client}, og det haster veldig."}
  everybody: {agents: [kari, ola, per, fast, early, last]}
tags: {booking: {label: {nb: Bestilling}, code: 12}}
last_resort: [hangup]
routes:
  - {name: desk, when: {dialled: "+47 22 33 44 50"}, do: [{queue: desk, for: 1m}]}
  - {name: told, when: {dialled: "+47 22 33 44 51"}, do: [{queue: told, for: 1m}, {say: Ingen hadde tid.}]}
  - {name: pair, when: {dialled: "+47 22 33 44 52"}, do: [{queue: pair, for: 1m}]}
  - {name: mixed, when: {dialled: "+47 22 33 44 53"}, do: [{queue: mixed, for: 2m}]}
  - name: small
    when: {dialled: "+47 22 33 44 54"}
    do: [{queue: small, for: 4s, on: {full: [decline]}}]
  - {name: lasting, when: {dialled: "+47 22 33 44 55"}, do: [{queue: lasting, for: 2m}]}
  - {name: wary, when: {dialled: "+47 22 33 44 60"}, do: [{queue: wary, for: 1m}]}
  - {name: wrap, when: {dialled: "+47 22 33 44 57"}, do: [{tag: interested}, {queue: wrap, for: 1m}]}
  - {name: idlest, when: {dialled: "+47 22 33 44 58"}, do: [{queue: idlest, for: 2m}]}
  - {name: fewest, when: {dialled: "+47 22 33 44 59"}, do: [{queue: fewest, for: 2m}]}
  - {name: all, do: [{queue: all, for: 1m}]}
"""
NUMBERS = {"kari": 100, "ola": 101, "per": 102, "fast": 110, "declines": 111, "silent": 112, "busy": 113,
           "early": 115, "slow": 116, "last": 117}  # fmt: skip
"""Who has a phone that is registered."""


@pytest.fixture(scope="module")
def running(bring_up: BringUp, run_router: RunRouter) -> tuple[Sandbox, RouterProcess]:
    sandbox = bring_up("--rtp-timeout=0")
    return sandbox, run_router(sandbox, {"fjord.yaml": FJORD})


@pytest.fixture
def board(running: tuple[Sandbox, RouterProcess]) -> Iterator[Switchboard]:
    with ExitStack() as stack:
        board = Switchboard(*running, stack, NUMBERS)
        yield board
        for agent in board.queue("everybody")["agents"]:
            if agent["state"] in ("paused", "logged_out"):
                board.typed("agents", "login", agent["person"])
    wait_until(lambda: running[0].left_behind() == [], "nothing is left in Asterisk")


def dial(board: Switchboard, phone: int, code: str, said: Phrase, **values: str) -> None:
    """An agent's phone dials a feature code, and hears what came of it."""
    account, media = board.sandbox.phones[phone - 100], board.media()
    host, port = board.sandbox.registrar
    keys = ("-key", "user", account.username, "-key", "ear", str(media.port))
    who = ("-au", account.username, "-ap", account.password, "-m", "1")
    caller = Sipp((CALL_AS_PHONE, HUNG_UP_ON), [f"{host}:{port}", "-s", code, *keys, *who])
    media.wait_for(board.prompt(phrase("nb", "formal", said, **values)))
    assert caller.wait(10) == (0, "")
    caller.stop()


def count_of(board: Switchboard, did: str) -> int:
    return board.next_record(did) - 1


def test_callers_are_answered_in_order_with_a_pause_between(board: Switchboard) -> None:
    before = count_of(board, DESK)
    board.agent("kari", *talks(1.5))
    for number in range(3):
        board.caller(DESK, user=f"+479000000{number}")
        time.sleep(0.4)
    records = board.records_of(DESK, before + 3)[-3:]
    assert [record.answered_by for record in records] == ["kari"] * 3
    assert [record.info.caller[-1] for record in sorted(records, key=answered)] == ["0", "1", "2"]
    for first, second in pairwise(records):
        assert second.attempts[0].started_at > first.ended_at
        assert (second.attempts[0].started_at - first.ended_at).total_seconds() == pytest.approx(2, abs=0.5)
    assert {record.disposition for record in records} == {Disposition.ANSWERED}
    assert records[-1].hung_up_by is Party.CALLEE


def answered(record: CallRecord) -> Any:
    return record.answered_at


def test_who_waits_hears_music_and_how_things_stand(board: Switchboard) -> None:
    count = board.next_record(TOLD)
    board.typed("agents", "pause", "kari")
    board.agent("ola", CALLED, RINGING, CANCELLED)
    board.caller(TOLD, INVITE, ANSWERED, pause(15.0), bye())
    board.waiting("told", 1)
    media = board.calls(TOLD, INVITE_HEARING, ANSWERED, HUNG_UP_ON)
    told = phrase("nb", "formal", Phrase.QUEUE_PLACE, number="2")
    began = media.wait_for(board.prompt(told))
    ended = media.wait_for(board.prompt(phrase("nb", "formal", Phrase.QUEUE_LEAVE))) + 2.0
    time.sleep(3.0)
    assert media.longest_silence(began, ended + 2.0) <= 2.0, "music goes on"
    media.press("0")
    media.wait_for(board.prompt("Ingen hadde tid."))
    waited, left = board.records_of(TOLD, count + 1)[-2:]
    assert (waited.disposition, waited.phase) == (Disposition.ABANDONED, Phase.QUEUE)
    assert (left.disposition, left.reason) == (Disposition.NO_ANSWER, "queue_left")


LEAVERS: dict[str, tuple[tuple[Move, ...], tuple[Move, ...]]] = {
    "while the phone rings": ((CALLED, RINGING, CANCELLED), (INVITE, ANSWERED, pause(1.5), bye())),
    "before it rings": ((CALLED, pause(3.0), RINGING, CANCELLED), (INVITE, ANSWERED, pause(0.5), bye())),
}


@pytest.mark.parametrize(("phone", "caller"), LEAVERS.values(), ids=LEAVERS)
def test_a_caller_who_leaves_is_abandoned_in_the_queue(
    board: Switchboard, phone: tuple[Move, ...], caller: tuple[Move, ...]
) -> None:
    count = board.next_record(DESK)
    agent = board.agent("kari", *phone, calls=1)
    board.caller(DESK, *caller)
    assert agent.wait(10) == (0, ""), "the phone is told within a moment"
    record = board.records_of(DESK, count)[-1]
    assert (record.disposition, record.phase) == (Disposition.ABANDONED, Phase.QUEUE)
    assert record.hung_up_by is Party.CALLER


def test_who_declines_or_does_not_answer_costs_the_caller_no_place(board: Switchboard) -> None:
    count = board.next_record(PAIR)
    board.agent("kari", CALLED, reject(603))
    board.agent("ola", *talks(1.0))
    board.caller(PAIR)
    record = board.records_of(PAIR, count)[-1]
    assert [(one.target, one.outcome) for one in record.attempts] == [
        ("kari", AttemptOutcome.DECLINED),
        ("ola", AttemptOutcome.ANSWERED),
    ]


def test_who_hangs_up_in_the_whisper_has_not_taken_the_call(board: Switchboard) -> None:
    count = board.next_record(WARY)
    board.agent("fast", *talks(0.8), calls=1)
    board.agent("ola", *talks(6.0))
    board.caller(WARY)
    record = board.records_of(WARY, count)[-1]
    assert [(one.target, one.outcome) for one in record.attempts] == [
        ("fast", AttemptOutcome.NO_ANSWER),
        ("ola", AttemptOutcome.ANSWERED),
    ]
    assert record.answered_by == "ola"
    assert record.talk_seconds > 1.0


def test_who_never_answers_is_paused_and_rung_no_more(board: Switchboard) -> None:
    count = board.next_record(PAIR)
    board.agent("kari", CALLED, RINGING, CANCELLED)
    board.typed("agents", "pause", "ola", "--reason", "lunch")
    board.caller(PAIR)
    record = board.records_of(PAIR, count)[-1]
    assert [one.outcome for one in record.attempts] == [AttemptOutcome.NO_ANSWER] * 2
    assert (record.disposition, record.reason) == (Disposition.NO_ANSWER, "queue_empty")
    assert "pair: 0 waiting, 0 agents at work" in board.typed("queues")
    states = {agent["person"]: (agent["state"], agent["reason"]) for agent in board.queue("pair")["agents"]}
    assert states == {"kari": ("paused", "not answering"), "ola": ("paused", "lunch")}


def test_agents_come_and_go_by_command(board: Switchboard) -> None:
    count = board.next_record(PAIR)
    board.agent("kari", *talks(1.0))
    board.agent("ola", *talks(1.0))
    board.typed("agents", "logout", "kari")
    board.typed("agents", "logout", "ola")
    board.caller(PAIR, INVITE, "")
    empty = board.records_of(PAIR, count)[-1]
    assert (empty.reason, empty.answered_at) == ("queue_empty", None), "nobody is answered for nothing"
    board.typed("agents", "login", "ola")
    board.caller(PAIR)
    assert board.records_of(PAIR, count + 1)[-1].answered_by == "ola"


def test_a_full_queue_and_one_whose_time_is_over(board: Switchboard) -> None:
    count = board.next_record(SMALL)
    board.agent("per", CALLED, RINGING, CANCELLED)
    board.caller(SMALL)
    board.waiting("small", 1)
    board.caller(SMALL, INVITE, "")
    waited, refused = board.records_of(SMALL, count + 1)[-2:]
    assert (waited.disposition, waited.reason) == (Disposition.NO_ANSWER, "queue_timeout")
    assert refused.answered_at is None


def test_a_phone_in_a_talk_is_not_rung(board: Switchboard) -> None:
    count = board.next_record(PAIR)
    talking = board.agent("kari", CALLED, RINGING, PICK_UP, pause(6.0), hang_up(), calls=1)
    board.agent("ola", *talks(1.0))
    board.sandbox.cli("channel originate PJSIP/100 application Wait 30")
    wait_until(lambda: board.sandbox.channels(), "kari talks with somebody else")
    time.sleep(0.5)
    board.caller(PAIR)
    record = board.records_of(PAIR, count)[-1]
    assert [(one.target, one.outcome) for one in record.attempts] == [("ola", AttemptOutcome.ANSWERED)]
    assert talking.wait(15) == (0, ""), "one call, and nothing in it"


def test_all_ring_and_the_first_has_the_call(board: Switchboard) -> None:
    count = board.next_record(ALL)
    slow = board.agent("kari", CALLED, RINGING, CANCELLED, calls=1)
    board.agent("ola", *talks(1.0, rings=1.0))
    board.caller(ALL)
    record = board.records_of(ALL, count)[-1]
    assert record.answered_by == "ola"
    assert {one.target: one.outcome for one in record.attempts} == {
        "kari": AttemptOutcome.ANSWERED_ELSEWHERE,
        "ola": AttemptOutcome.ANSWERED,
    }
    assert slow.wait(10) == (0, "")


STRATEGIES = {"round-robin": MIXED, "longest-idle": IDLEST, "fewest-calls": FEWEST}


@pytest.mark.parametrize("did", STRATEGIES.values(), ids=STRATEGIES)
def test_thirty_callers_and_eight_agents_of_all_kinds(board: Switchboard, did: str) -> None:
    callers, count = 30, board.next_record(did)
    for name in ("declines", "silent", "busy", "away"):
        board.typed("agents", "resume", name)  # They rest no longer for what was before.
    board.agent("fast", *talks(1.0))
    board.agent("declines", CALLED, reject(603))
    board.agent("silent", CALLED, RINGING, CANCELLED)
    board.agent("busy", CALLED, reject(486))
    board.agent("early", *talks(0.1))
    board.agent("slow", *talks(3.0, rings=1.0))
    board.agent("last", *talks(1.5))
    board.caller(did, calls=callers, rate=5, limit=120)
    records = board.records_of(did, count + callers - 1, within=120)[-callers:]
    assert {(record.disposition, record.flags) for record in records} == {(Disposition.ANSWERED, ())}
    assert {record.answered_by for record in records} == {"fast", "early", "slow", "last"}, "all work"
    offered = sorted(records, key=lambda record: record.attempts[0].started_at)
    assert offered == records, "who came first is offered first"
    outcomes = {(one.target, one.outcome) for record in records for one in record.attempts}
    assert outcomes - {(name, AttemptOutcome.ANSWERED) for name in ("fast", "early", "slow", "last")} == {
        ("declines", AttemptOutcome.DECLINED),
        ("silent", AttemptOutcome.NO_ANSWER),
        ("busy", AttemptOutcome.BUSY),
        ("away", AttemptOutcome.UNREACHABLE),
    }
    rung = sorted((one.started_at, one.ended_at) for record in records for one in record.attempts
                  if one.target == "silent")  # fmt: skip
    assert all(later[0] >= before[1] for before, later in pairwise(rung)), "one call at a time"
    assert {agent["state"] for agent in board.queue(str(records[0].info.route))["agents"]} == {"idle"}


def test_an_agent_lost_in_a_talk_is_there_for_the_next(board: Switchboard) -> None:
    count = board.next_record(DESK)
    board.agent("kari", CALLED, RINGING, PICK_UP, HUNG_UP_ON)
    caller = board.caller(DESK)
    wait_until(lambda: board.queue("desk")["agents"][0]["state"] == "talking", "the two talk")
    [agent] = [one["id"] for one in board.sandbox.ari("GET", "channels") if "/100-" in one["name"]]
    board.sandbox.ari("DELETE", f"channels/{agent}")
    assert caller.wait(10) == (0, ""), "nobody waits for nobody"
    record = board.records_of(DESK, count)[-1]
    assert (record.disposition, record.reason) == (Disposition.DROPPED, "soft_hangup")
    board.agent("kari", *talks(0.5))
    board.caller(DESK)
    assert board.records_of(DESK, count + 1)[-1].answered_by == "kari", "after the wrap-up"


def test_agents_come_and_go_by_their_own_phones(board: Switchboard) -> None:
    def state(person: str) -> tuple[str, str]:
        agents = (agent for agent in board.queue("pair")["agents"] if agent["person"] == person)
        return next((agent["state"], agent["reason"]) for agent in agents)

    dial(board, 100, "*83", Phrase.AGENT_PAUSED)
    assert state("kari") == ("paused", "by phone")
    dial(board, 100, "*84", Phrase.AGENT_BACK)
    assert state("kari") == ("idle", "")
    dial(board, 101, "*82", Phrase.AGENT_OUT)
    assert (state("ola"), state("kari")[0]) == (("logged_out", ""), "idle")
    dial(board, 101, "*83", Phrase.AGENT_OUT)
    assert state("ola") == ("logged_out", "")
    dial(board, 101, "*81", Phrase.AGENT_IN)
    assert state("ola") == ("idle", "")
    dial(board, 120, "*81", Phrase.NO_AGENT)
    records = board.router.records(count=6)
    told = [record for record in records if (record.info.route or "").startswith("agent ")]
    assert {record.disposition for record in told} == {Disposition.INFORMED}
    assert_codes_are_no_calls(board, "agent_in", "agent_out", "agent_paused", "agent_back", "no_agent")


def test_in_the_wrap_up_an_agent_says_what_came_of_the_call(board: Switchboard) -> None:
    def state() -> str:
        return str(board.queue("wrap")["agents"][0]["state"])

    dial(board, 112, "*12", Phrase.NO_CALL)
    count = board.next_record(WRAP)
    board.agent("last", *talks(0.5), calls=1)
    board.caller(WRAP)
    record = board.records_of(WRAP, count)[-1]
    assert state() == "wrapping"
    for _ in "12":  # The second says nothing that is not so already.
        dial(board, 117, "*12", Phrase.CODE_KEPT, tag="Bestilling")
    dial(board, 117, "*7", Phrase.NO_CODE)
    dial(board, 117, "*80", Phrase.MORE_TIME)
    assert state() == "wrapping"
    dial(board, 117, "*84", Phrase.AGENT_BACK)
    assert state() == "idle", "before the wrap-up was over"
    dial(board, 117, "*80", Phrase.NO_WRAP_UP)
    board.typed("tag", record.info.id, "callback", "--by", "ola")
    assert said_of(board, record)["tagged"] == ["interested", "booking", "callback"]
    board.typed(
        "tag", record.info.id, "callback", "--remove", "--by", "kari", "--note", "it was not asked for"
    )
    shown = said_of(board, record)
    assert shown["tagged"] == ["interested", "booking"]
    assert [(one["tag"], one["who"], one["way"], one["removed"]) for one in shown["tags"]] == [
        ("interested", "wrap", "rule", False),
        ("booking", "last", "phone", False),
        ("callback", "ola", "command", False),
        ("callback", "kari", "command", True),
    ]
    by_rule, by_phone, _, taken_off = shown["tags"]
    assert by_rule["at"] == shown["arrived_at"]
    assert by_rule["place"].endswith(f"/fjord.yaml:{FJORD[: FJORD.index('name: wrap')].count(chr(10)) + 1}")
    assert (by_phone["place"], taken_off["note"]) == ("PJSIP/117", "it was not asked for")
    assert sorted(one["at"] for one in shown["tags"]) == [one["at"] for one in shown["tags"]]
    assert "Bestilling, by last (phone, PJSIP/117)" in board.typed("call", record.info.id, "--language", "nb")
    assert record.info.id in board.typed("calls", "--tag", "booking")
    told = board.typed("report", "tag", "--queue", "wrap", "--json", "--rules", str(board.router.rules))
    reported = {row["key"]: row for row in map(json.loads, told.splitlines())}
    assert set(reported) == {None, "interested", "booking"}
    booking = reported["booking"]
    assert (booking["calls"], booking["answered_within"]) == (1, 1)
    assert 0.3 < booking["talk"]["average"] < booking["handling"]["average"]
    assert 1 < booking["wrap_up"]["average"] < 30, "it was cut short"
    assert_codes_are_no_calls(board, "no_call", "code_kept", "no_code", "more_time", "no_wrap_up")
    tagged = [one for one in events(board) if one["type"] == "call.tagged"]
    assert ("booking", record.info.id) in {(one["tag"], one["call"]["id"]) for one in tagged}


def events(board: Switchboard) -> list[dict[str, Any]]:
    """All that other systems are told."""
    with closing(Outbox(board.router.database)) as outbox:
        return [json.loads(told.body) for told in outbox.since(0, 100_000)]


def assert_codes_are_no_calls(board: Switchboard, *said: str) -> None:
    """Feature codes, of which agents heard these, are written down, and nothing counts them as calls."""
    records = board.router.records()
    calls = {record.info.id for record in records if record.info.dialled.startswith("+")}
    assert len(records) >= len(calls) + len(said)
    told = events(board)
    of_calls = [one for one in told if "call" in one]
    assert [one for one in of_calls if one["call"]["id"] not in calls] == []
    assert {one["call"]["id"] for one in of_calls if one["type"] == "call.ended"} == calls
    listed = board.typed("calls", "--json", "--limit", "1000").splitlines()
    assert {json.loads(line)["id"] for line in listed} == calls
    total, *lines = map(
        json.loads,
        board.typed("report", "disposition", "--json", "--rules", str(board.router.rules)).splitlines(),
    )
    assert total["calls"] + total["callbacks"] == len(calls)
    assert "informed" not in {line["key"] for line in lines}
    metrics = board.router.metrics()
    assert metrics["callrouter_calls_entered_total"] == len(calls)
    assert sum(n for name, n in metrics.items() if name.startswith("callrouter_calls_total")) == len(calls)
    assert sum(n for name, n in metrics.items() if name.startswith("callrouter_live_calls")) == 0
    for one in said:
        assert metrics[f'callrouter_feature_codes_total{{said="{one}"}}'] >= 1


def said_of(board: Switchboard, record: CallRecord) -> dict[str, Any]:
    """A call, as `callrouter call` tells it to programs."""
    shown: dict[str, Any] = json.loads(board.typed("call", record.info.id, "--json"))
    return shown


@pytest.fixture
def revived(board: Switchboard) -> Callable[[], None]:
    def kill_and_start() -> None:
        board.router.kill()
        board.router.start()

    return kill_and_start


def test_a_router_that_dies_keeps_places_offers_and_agents(
    board: Switchboard, revived: Callable[[], None]
) -> None:
    callers, count = 10, board.next_record(LASTING)
    others = ("fast", "early", "last")
    for name in others:
        board.typed("agents", "pause", name, "--reason", "lunch")
        board.agent(name, *talks(0.2))
    board.agent("per", *talks(0.2, rings=6.0))
    board.caller(LASTING, calls=callers, rate=20, limit=120)
    board.waiting("lasting", callers)
    time.sleep(0.2)  # What came in the last moment is not written down yet.
    before = board.queue("lasting")["callers"]
    revived()
    standing = board.queue("lasting")
    assert standing["callers"] == before, "everybody at the same place, since the same moment"
    assert standing["callers"][0]["offered_to"] == ["per"], "whose phone rings on"
    assert [agent["reason"] for agent in standing["agents"]] == ["", "lunch", "lunch", "lunch"]
    for name in others:
        board.typed("agents", "resume", name)
    records = board.records_of(LASTING, count + callers - 1, within=120)[-callers:]
    assert {record.disposition for record in records} == {Disposition.ANSWERED}
    assert sorted(records, key=lambda record: record.attempts[0].started_at) == records
    assert records[0].attempts[0].outcome is AttemptOutcome.ANSWERED
