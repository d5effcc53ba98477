"""What the queue costs, alone: no Asterisk, no calls."""

import time
from datetime import UTC, datetime, timedelta

from router.core.acd import Acd
from router.core.agents import AgentId, QueueId
from router.core.plan import QueueRules
from router.core.waiting import Caller, Offer

CALLERS, AGENTS = 1_000, 500
TURNS = 500
"""Assignments that are timed; the slowest counts."""
REPEATS = 5
"""The best of so many counts."""

START = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
QUEUE = QueueId("bench", "desk")
STAFF = tuple(AgentId("bench", f"agent-{number}") for number in range(AGENTS))
RULES = QueueRules()


def measure() -> dict[str, float]:
    """assign_ms: the slowest assignment, by an agent who becomes free or a caller who comes, with CALLERS
    waiting for AGENTS. Every second caller needs a skill that only the last agent has, so that all are looked
    at."""
    return {"assign_ms": min(max(_busy(), _idle()) for _ in range(REPEATS)) * 1000}


def _acd() -> Acd:
    acd = Acd()
    acd.use({STAFF[-1]: {"language": ("vi",)}}, START)
    for number, agent in enumerate(STAFF):
        acd.log_in(agent, START + timedelta(seconds=number))
    return acd


def _caller(number: int, now: datetime) -> Caller:
    needs = (("language", "vi"),) if number % 2 == 0 else ()
    return Caller(f"call-{number}", QUEUE, now, RULES, dict.fromkeys(STAFF, 0.0), needs=needs)


def _busy() -> float:
    """Seconds of the slowest offer to an agent whose talk is over, while CALLERS wait."""
    acd, now, number = _acd(), START + timedelta(hours=1), 0
    talks: dict[AgentId, str] = {}
    while len(list(acd.callers())) < CALLERS:
        for offer in acd.enter(_caller(number, now), now):
            assert isinstance(offer, Offer)
            acd.take(offer.call_id, offer.agent, now)
            talks[offer.agent] = offer.call_id
        number += 1
    slowest = 0.0
    for turn in range(TURNS):
        now += timedelta(seconds=1)
        begun = time.perf_counter()
        agent = STAFF[turn % (AGENTS - 1)]
        [offer] = acd.done(talks[agent], agent, now)
        slowest = max(slowest, time.perf_counter() - begun)
        assert isinstance(offer, Offer)
        acd.take(offer.call_id, offer.agent, now)
        talks[offer.agent] = offer.call_id
        acd.enter(_caller(number + turn * 2 + 1, now), now)
    return slowest


def _idle() -> float:
    """Seconds of the slowest offer of a caller who comes, while all agents are free."""
    acd, now, slowest = _acd(), START + timedelta(hours=1), 0.0
    for turn in range(TURNS):
        caller = _caller(turn, now)
        begun = time.perf_counter()
        actions = acd.enter(caller, now)
        slowest = max(slowest, time.perf_counter() - begun)
        assert len(actions) == 1
        acd.leave(caller.call_id, now)
    return slowest
