"""Queues and agents: who is rung for whom, told as stories, and a simulated day held against Erlang C."""

import heapq
import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import fmean, stdev

import pytest
from msgspec.structs import replace

from router.core.acd import REST, TOLD_AFTER, Acd, Failure
from router.core.agents import Activity, AgentChange, AgentId, Change, QueueId, WrapUp
from router.core.facts import QueueLoad
from router.core.plan import QueueRules
from router.core.waiting import NOT_ANSWERING, Caller, Dismiss, Offer, Paused, Withdraw

START = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
RULES = QueueRules("fjord.yaml:9", (), "longest-idle", 15, 0, None, None, True, True, 45, "default")
QUEUE = QueueId("fjord", "reception")
KARI, OLA, PER = (AgentId("fjord", name) for name in ("kari", "ola", "per"))


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def caller(
    name: str,
    seconds: float,
    *agents: AgentId,
    rules: QueueRules = RULES,
    queue: QueueId = QUEUE,
    **more: object,
) -> Caller:
    after = dict.fromkeys(agents or (KARI, OLA), 0.0)
    return replace(Caller(name, queue, at(seconds), rules, after), **more)


def acd_of(*agents: AgentId) -> Acd:
    """With agents who became idle one second after the other, in this order."""
    acd = Acd()
    for number, agent in enumerate(agents):
        acd.log_in(agent, at(number - 100))
    return acd


def test_a_caller_is_offered_to_who_is_free_and_the_next_waits() -> None:
    acd = acd_of(KARI)
    assert acd.enter(caller("a", 0, KARI), at(0)) == [Offer("a", KARI)]
    assert acd.enter(caller("b", 1, KARI), at(1)) == []
    assert (acd.position("a"), acd.position("b"), acd.position("c")) == (1, 2, None)
    assert acd.take("a", KARI, at(2)) == []
    assert (acd.position("a"), acd.position("b")) == (None, 1)
    assert acd.done("b", KARI, at(60)) == [], "not that talk"
    assert acd.done("a", KARI, at(60)) == [Offer("b", KARI)]


def test_a_wrap_up_begins_anew_or_ends_as_the_agent_says() -> None:
    acd, rules = acd_of(KARI), replace(RULES, wrap_up=20)
    acd.enter(caller("a", 0, KARI, rules=rules), at(0))
    acd.take("a", KARI, at(1))
    assert not acd.extend(KARI, at(2)), "not in a talk"
    acd.done("a", KARI, at(10))
    assert acd.extend(KARI, at(25))
    acd.enter(caller("b", 26, KARI, rules=rules), at(26))
    assert acd.pass_time(at(30)) == []
    assert acd.pass_time(at(46)) == [WrapUp("a", *KARI, QUEUE.name, at(10), at(45)), Offer("b", KARI)]
    acd.take("b", KARI, at(46))
    acd.done("b", KARI, at(50))
    acd.enter(caller("c", 51, KARI, rules=rules), at(51))
    assert acd.resume(KARI, at(52)) == [WrapUp("b", *KARI, QUEUE.name, at(50), at(52)), Offer("c", KARI)]
    assert not acd.extend(OLA, at(53)), "whom nobody knows"


def test_nobody_is_withdrawn_who_took_the_call() -> None:
    acd = acd_of(KARI, OLA)
    rules = replace(RULES, strategy="ring-all")
    assert acd.enter(caller("a", 0, rules=rules), at(0)) == [Offer("a", KARI), Offer("a", OLA)]
    assert acd.enter(caller("b", 1, rules=rules), at(1)) == []
    assert acd.take("a", OLA, at(2)) == [Withdraw("a", KARI), Offer("b", KARI)]


def test_who_leaves_frees_who_was_rung() -> None:
    acd = acd_of(KARI)
    acd.enter(caller("a", 0, KARI), at(0))
    acd.enter(caller("b", 1, KARI), at(1))
    assert acd.leave("a", at(2)) == [Withdraw("a", KARI), Offer("b", KARI)]
    assert acd.leave("a", at(3)) == [], "told twice"
    assert acd.leave("b", at(3)) == [Withdraw("b", KARI)]


@pytest.mark.parametrize("why", [Failure.DECLINED, Failure.BUSY, Failure.UNREACHABLE, Failure.NO_ANSWER])
def test_an_offer_that_fails_goes_on_at_once(why: Failure) -> None:
    acd = acd_of(KARI, OLA)
    acd.enter(caller("a", 0), at(0))
    assert acd.fail("a", KARI, why, at(3)) == [Offer("a", OLA)]
    assert acd.fail("a", KARI, why, at(3)) == [], "told twice"
    assert acd.fail("a", OLA, why, at(6)) == [], "both have a rest"
    assert acd.due() == at(3) + REST
    assert acd.pass_time(at(3) + REST) == [Offer("a", KARI)]


def test_who_does_not_answer_again_and_again_is_paused() -> None:
    acd = acd_of(KARI)
    rules = replace(RULES, pause_after=2)
    acd.enter(caller("a", 0, KARI, rules=rules), at(0))
    assert acd.fail("a", KARI, Failure.NO_ANSWER, at(15)) == []
    assert acd.pass_time(at(20)) == [Offer("a", KARI)]
    assert acd.fail("a", KARI, Failure.NO_ANSWER, at(35)) == [
        Paused(KARI, NOT_ANSWERING),
        Dismiss("a", "empty"),
    ]
    assert acd.enter(caller("b", 36, KARI), at(36)) == [Dismiss("b", "empty")]
    assert acd.resume(KARI, at(50)) == []
    assert acd.enter(caller("c", 51, KARI), at(51)) == [Offer("c", KARI)]


def test_a_pause_while_others_are_at_work_dismisses_nobody() -> None:
    acd = acd_of(KARI, OLA)
    acd.enter(caller("a", 0), at(0))
    acd.enter(caller("b", 0), at(0))
    acd.enter(caller("c", 0), at(0))
    assert acd.pause(KARI, "lunch", at(1)) == [Withdraw("a", KARI)]
    assert acd.position("a") == 1
    assert acd.log_out(OLA, at(2)) == [Withdraw("b", OLA), Dismiss("a", "empty"), Dismiss("b", "empty"),
                                       Dismiss("c", "empty")]  # fmt: skip
    assert acd.load(QUEUE, (KARI, OLA), at(3)) == QueueLoad(0, 0)


def test_a_full_queue_sends_on() -> None:
    acd = acd_of(KARI)
    rules = replace(RULES, max_waiting=2)
    for name in "ab":
        acd.enter(caller(name, 0, KARI, rules=rules), at(0))
    assert acd.enter(caller("c", 1, KARI, rules=rules), at(1)) == [Dismiss("c", "full")]
    assert acd.load(QUEUE, (KARI, OLA), at(1)) == QueueLoad(2, 2)


def test_who_has_had_a_call_is_left_alone_for_a_while() -> None:
    acd = acd_of(KARI)
    rules = replace(RULES, wrap_up=20)
    acd.enter(caller("a", 0, KARI, rules=rules), at(0))
    acd.take("a", KARI, at(5))
    acd.enter(caller("b", 6, KARI, rules=rules), at(6))
    assert acd.done("a", KARI, at(60)) == []
    assert acd.done("a", KARI, at(61)) == [], "told twice"
    assert acd.due() == at(80)
    assert acd.pass_time(at(79)) == []
    assert acd.pass_time(at(80)) == [WrapUp("a", *KARI, QUEUE.name, at(60), at(80)), Offer("b", KARI)]


def test_who_is_in_front_comes_first_and_is_rung_for_by_the_next_who_is_free() -> None:
    acd = acd_of(KARI)
    acd.enter(caller("a", 0, KARI), at(0))
    acd.enter(caller("b", 1, KARI), at(1))
    acd.enter(caller("vip", 2, KARI, front=True), at(2))
    assert [waiting.caller.call_id for waiting in acd.callers()] == ["vip", "a", "b"]
    acd.take("a", KARI, at(3))
    assert acd.done("a", KARI, at(9)) == [Offer("vip", KARI)]


def test_an_agent_of_two_queues_takes_who_came_first() -> None:
    acd, other = acd_of(KARI), QueueId("fjord", "support")
    acd.pause(KARI, "lunch", at(-1))
    acd.log_in(OLA, at(-1))
    acd.enter(caller("now", 0), at(0))
    acd.enter(caller("later", 2), at(2))
    acd.enter(caller("first", 1, queue=other), at(3))
    assert acd.resume(KARI, at(4)) == [Offer("first", KARI)]
    acd.enter(caller("last", 5, queue=other), at(5))
    acd.take("first", KARI, at(6))
    assert acd.done("first", KARI, at(7)) == [Offer("later", KARI)]


def test_a_further_tier_joins_after_its_time() -> None:
    acd = acd_of(KARI, PER)
    acd.enter(caller("a", 0, KARI), at(0))
    assert acd.enter(caller("b", 1, agents={KARI: 0.0, PER: 60.0}), at(1)) == []
    assert acd.due() == at(61)
    assert acd.pass_time(at(60.9)) == []
    assert acd.pass_time(at(61)) == [Offer("b", PER)]


def test_a_tier_is_for_nobody_whom_somebody_rings_or_who_has_left() -> None:
    acd = acd_of(KARI, PER)
    assert acd.enter(caller("a", 0, agents={KARI: 0.0, PER: 60.0}), at(0)) == [Offer("a", KARI)]
    assert acd.pass_time(at(60)) == [], "one agent at a time"
    assert acd.enter(caller("b", 61, agents={KARI: 0.0, PER: 60.0}), at(61)) == []
    acd.leave("b", at(62))
    assert acd.pass_time(at(121)) == []
    assert acd.take("b", PER, at(122)) == [], "who has left is nobody's"


def test_who_is_known_and_how_a_change_names_them() -> None:
    acd = acd_of(KARI)
    known = acd.agent(KARI)
    assert known is not None
    assert (known.id, acd.agent(OLA)) == (KARI, None)
    assert AgentChange(1, "fjord", "kari", Change.PAUSED, "lunch", "root", START).agent == KARI


def test_needs_relax_from_the_last_to_the_first() -> None:
    acd = acd_of(KARI, OLA, PER)
    acd.use({PER: {"language": ("vi", "en")}, OLA: {"language": ("en",), "product": ("fiber",)}}, at(0))
    needs = (("language", "vi"), ("product", "fiber"))
    everybody = dict.fromkeys((KARI, OLA, PER), 0.0)
    assert acd.enter(caller("a", 0, agents=everybody, needs=needs, relax=30.0), at(0)) == []
    assert acd.due() == at(30)
    assert acd.pass_time(at(30)) == [Offer("a", PER)], "the product does not matter any more"
    assert acd.log_out(PER, at(31)) == [Withdraw("a", PER)]
    assert acd.pass_time(at(60)) == [Offer("a", KARI)], "nothing matters any more"
    assert acd.enter(caller("b", 60, agents=everybody, needs=needs), at(60)) == []
    assert acd.due() is None or acd.due() != at(90), "without relax there is nothing to wait for"


STRATEGIES = {
    "longest-idle": (KARI, OLA, PER, KARI),
    "round-robin": (KARI, OLA, PER, KARI),
    "in-order": (PER, PER, PER, PER),
    "fewest-calls": (KARI, OLA, PER, KARI),
}


@pytest.mark.parametrize(("strategy", "rung"), STRATEGIES.items())
def test_who_is_chosen_among_the_free(strategy: str, rung: tuple[AgentId, ...]) -> None:
    acd, chosen = acd_of(KARI, OLA, PER), list[AgentId]()
    rules = replace(RULES, strategy=strategy)
    for number in range(len(rung)):
        [offer] = acd.enter(caller(f"{number}", number * 100, PER, OLA, KARI, rules=rules), at(number * 100))
        assert isinstance(offer, Offer)
        chosen.append(offer.agent)
        acd.take(offer.call_id, offer.agent, at(number * 100 + 5))
        acd.done(offer.call_id, offer.agent, at(number * 100 + 50))
    expected = (PER, OLA, KARI, PER) if strategy == "round-robin" else rung
    assert tuple(chosen) == expected


def test_fewest_calls_counts_since_logging_in() -> None:
    acd, rules = acd_of(KARI, OLA), replace(RULES, strategy="fewest-calls")
    acd.enter(caller("a", 0, OLA, rules=rules), at(0))
    acd.take("a", OLA, at(1))
    acd.done("a", OLA, at(9))
    assert acd.enter(caller("b", 10, OLA, KARI, rules=rules), at(10)) == [Offer("b", KARI)]
    acd.take("b", KARI, at(11))
    acd.done("b", KARI, at(19))
    acd.log_out(OLA, at(20))
    acd.log_in(OLA, at(21))
    assert acd.enter(caller("c", 22, KARI, OLA, rules=rules), at(22)) == [Offer("c", OLA)]


def test_random_chooses_all_alike_and_the_same_again() -> None:
    def drawn() -> list[AgentId]:
        acd, rules = acd_of(KARI, OLA, PER), replace(RULES, strategy="random")
        chosen = []
        for number in range(600):
            [offer] = acd.enter(caller(f"call-{number}", number, KARI, OLA, PER, rules=rules), at(number))
            assert isinstance(offer, Offer)
            chosen.append(offer.agent)
            acd.leave(offer.call_id, at(number))
        return chosen

    chosen = drawn()
    assert min(chosen.count(agent) for agent in (KARI, OLA, PER)) > 150
    assert drawn() == chosen


def test_only_answers_in_a_row_that_did_not_come_pause() -> None:
    acd = acd_of(KARI)
    rules = replace(RULES, pause_after=2)
    for number in range(3):
        began = number * 200
        acd.enter(caller(f"{number}", began, KARI, rules=rules), at(began))
        assert acd.fail(f"{number}", KARI, Failure.NO_ANSWER, at(began + 15)) == []
        assert acd.pass_time(at(began + 20)) == [Offer(f"{number}", KARI)]
        acd.take(f"{number}", KARI, at(began + 21))
        acd.done(f"{number}", KARI, at(began + 30))


def test_a_phone_that_is_not_there_is_tried_less_and_less_often() -> None:
    acd, now, rests = acd_of(KARI), 0.0, list[float]()
    acd.enter(caller("a", 0, KARI), at(0))
    for _ in range(6):
        assert acd.fail("a", KARI, Failure.UNREACHABLE, at(now)) == []
        due = acd.due()
        assert due is not None
        rests.append((due - at(now)).total_seconds())
        now += rests[-1]
        assert acd.pass_time(at(now)) == [Offer("a", KARI)]
    assert rests == [5, 10, 20, 40, 60, 60]


def test_an_answer_in_the_last_moment_outruns_the_next_offer() -> None:
    acd = acd_of(KARI, OLA)
    acd.enter(caller("a", 0), at(0))
    acd.enter(caller("b", 1), at(1))
    acd.pause(KARI, "lunch", at(2))
    acd.fail("b", OLA, Failure.DECLINED, at(2))
    assert acd.resume(KARI, at(3)) == [Offer("a", KARI)]
    assert acd.leave("a", at(4)) == [Withdraw("a", KARI), Offer("b", KARI)]
    assert acd.enter(caller("c", 5), at(5)) == []
    assert acd.log_in(OLA, at(6)) == [Offer("c", OLA)]
    assert acd.take("b", OLA, at(7)) == [Withdraw("b", KARI), Withdraw("c", OLA), Offer("c", KARI)]


def test_agents_have_new_skills_at_once() -> None:
    acd = acd_of(KARI)
    acd.enter(caller("a", 0, KARI, needs=(("language", "vi"),)), at(0))
    assert acd.use({KARI: {"language": ("vi",)}}, at(1)) == [Offer("a", KARI)]
    assert [agent.id for agent in acd.offered("a")] == [KARI]
    assert acd.offered("nobody") == ()


def test_what_was_offered_before_a_restart_is_looked_at_anew() -> None:
    acd = acd_of(KARI)
    acd.pause(KARI, "lunch", at(-1))
    waiting = [(caller("a", -60, KARI), [KARI])]
    assert acd.restore(waiting, [], at(0)) == [Dismiss("a", "empty")], "nobody is at work"
    acd.resume(KARI, at(1))
    both = [(caller("b", -50, KARI), [KARI]), (caller("c", -40, KARI), [KARI])]
    assert acd.restore(both, [], at(2)) == []
    assert [len(acd.offered(name)) for name in "bc"] == [1, 0], "nobody is rung for two"


def test_who_was_logged_out_while_paused_begins_anew() -> None:
    acd = acd_of(KARI)
    acd.pause(KARI, "lunch", at(1))
    acd.log_out(KARI, at(2))
    assert acd.resume(KARI, at(3)) == []
    assert acd.enter(caller("a", 4, KARI), at(4)) == [Dismiss("a", "empty")]
    acd.log_in(KARI, at(5))
    assert acd.enter(caller("b", 6, KARI), at(6)) == [Offer("b", KARI)]


def test_what_outlives_a_process_is_taken_up_again() -> None:
    acd = Acd()
    acd.log_out(OLA, at(-100))
    acd.pause(PER, "lunch", at(-100))
    everybody = (KARI, OLA, PER)
    waiting = [(caller("a", -60, *everybody), [KARI]), (caller("b", -50, *everybody), [])]
    talks = [(caller("c", -90, *everybody), PER, at(-80))]
    assert acd.restore(waiting, talks, at(0)) == []
    assert [acd.position(name) for name in "abc"] == [1, 2, None]
    states = {agent.id: agent.activity for agent in acd.agents()}
    assert states == {KARI: Activity.OFFERED, OLA: Activity.IDLE, PER: Activity.TALKING}
    assert acd.log_in(OLA, at(1)) == [Offer("b", OLA)]
    assert acd.done("c", PER, at(2)) == []
    assert acd.resume(PER, at(3)) == []


def test_how_long_a_caller_will_wait_is_said_once_it_is_known() -> None:
    acd = acd_of(KARI)
    for number in range(TOLD_AFTER):
        acd.enter(caller(f"{number}", number * 100, KARI), at(number * 100))
        acd.enter(caller("late", number * 100, KARI), at(number * 100))
        assert acd.expected_wait("late") is None
        acd.leave("late", at(number * 100))
        acd.take(f"{number}", KARI, at(number * 100))
        acd.done(f"{number}", KARI, at(number * 100 + 60))
    acd.enter(caller("x", 900, KARI), at(900))
    acd.enter(caller("y", 900, KARI), at(900))
    assert acd.expected_wait("y") == pytest.approx(120)
    assert acd.expected_waits(QUEUE) == pytest.approx([60, 120])
    acd.pause(KARI, "lunch", at(901))
    acd.enter(caller("z", 902, KARI, OLA), at(902))
    assert acd.expected_waits(QUEUE) == [pytest.approx(60)], "of who has not been sent on"
    assert acd_of(KARI).expected_waits(QUEUE) == []
    assert acd.expected_wait("nobody") is None


# A day in which every caller waits until answered: M/M/n, whose waiting times are known.

AGENTS, LOAD, SERVICE, CALLS, BATCHES = 10, 8.5, 180.0, 20_000, 20
WITHIN = 20.0
"""Seconds of the service level."""
T_95 = 2.093
"""Of Student's distribution with BATCHES - 1 degrees of freedom, two-sided."""


def arrivals(seed: int) -> Iterator[tuple[float, float]]:
    """When each caller comes, and how long the talk will be; seconds."""
    draw, moment = random.Random(seed), 0.0
    for _ in range(CALLS):
        moment += draw.expovariate(LOAD / SERVICE)
        yield moment, draw.expovariate(1 / SERVICE)


def waits_in_acd(seed: int) -> list[float]:
    """Seconds that each caller waits, in the order of their coming; agents answer at once."""
    staff = tuple(AgentId("fjord", f"agent-{number}") for number in range(AGENTS))
    acd, came, talks, waits = acd_of(*staff), dict[str, float](), dict[str, float](), dict[str, float]()
    ends: list[tuple[float, AgentId, str]] = []
    agents = dict.fromkeys(staff, 0.0)

    def answer(offers: list[object], now: float) -> None:
        for offer in offers:
            assert isinstance(offer, Offer)
            acd.take(offer.call_id, offer.agent, at(now))
            waits[offer.call_id] = now - came[offer.call_id]
            heapq.heappush(ends, (now + talks[offer.call_id], offer.agent, offer.call_id))

    def until(moment: float) -> None:
        while ends and ends[0][0] <= moment:
            end, agent, call = heapq.heappop(ends)
            answer([*acd.done(call, agent, at(end))], end)

    for number, (moment, talk) in enumerate(arrivals(seed)):
        until(moment)
        name = str(number)
        came[name], talks[name] = moment, talk
        answer([*acd.enter(Caller(name, QUEUE, at(moment), RULES, agents), at(moment))], moment)
    until(math.inf)
    return [waits[str(number)] for number in range(CALLS)]


def waits_in_a_plain_run(seed: int) -> list[float]:
    """The same by the definition: who comes first is served by who is free first."""
    free, waits = [0.0] * AGENTS, []
    for moment, talk in arrivals(seed):
        begins = max(moment, heapq.heappop(free))
        waits.append(begins - moment)
        heapq.heappush(free, begins + talk)
    return waits


def erlang_c() -> float:
    """The probability that a caller waits at all (A. K. Erlang, 1917)."""
    busy = LOAD**AGENTS / math.factorial(AGENTS) * AGENTS / (AGENTS - LOAD)
    return busy / (sum(LOAD**number / math.factorial(number) for number in range(AGENTS)) + busy)


def test_a_day_of_twenty_thousand_calls_waits_as_erlang_says() -> None:
    waits = waits_in_acd(seed=1917)
    assert waits == pytest.approx(waits_in_a_plain_run(seed=1917), abs=1e-3), "caller by caller"
    size = CALLS // BATCHES
    batches = [waits[begin : begin + size] for begin in range(0, CALLS, size)]
    drained = AGENTS - LOAD
    expected = {
        "mean wait": (erlang_c() * SERVICE / drained, [fmean(batch) for batch in batches]),
        "service level": (
            1 - erlang_c() * math.exp(-drained * WITHIN / SERVICE),
            [fmean(wait <= WITHIN for wait in batch) for batch in batches],
        ),
    }
    for name, (theory, seen) in expected.items():
        margin = T_95 * stdev(seen) / math.sqrt(BATCHES)
        assert abs(fmean(seen) - theory) <= margin, f"{name}: {fmean(seen)} is not {theory} ± {margin}"
