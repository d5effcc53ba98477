"""Queues and agents, whatever may happen: the rules of acd.py's theory hold after each thing that does."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from router.core.acd import Acd, Failure
from router.core.agents import Activity, Agent, AgentId, QueueId
from router.core.plan import QueueRules
from router.core.waiting import Action, Caller, Dismiss, Offer, Waiting, Withdraw

START = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
RULES = QueueRules("fjord.yaml:9", (), "longest-idle", 15, 20, 3, 6, True, True, 45, "default")
AGENTS = tuple(AgentId("fjord", name) for name in ("kari", "ola", "per", "pia"))
SKILLS: Mapping[AgentId, Mapping[str, tuple[str, ...]]] = {
    AGENTS[0]: {"language": ("vi",)},
    AGENTS[1]: {"language": ("vi", "en")},
}
STRATEGIES = ("longest-idle", "round-robin", "fewest-calls", "in-order", "random")
QUEUES = (
    (QueueId("fjord", "reception"), {AGENTS[0]: 0.0, AGENTS[1]: 0.0, AGENTS[2]: 30.0}),
    (QueueId("fjord", "support"), {AGENTS[2]: 0.0, AGENTS[3]: 0.0, AGENTS[1]: 60.0}),
)
WHATS = ("enter", "enter", "enter", "leave", "take", "take", "fail", "done", "done", "log_in", "log_out",
         "pause", "resume", "pass")  # fmt: skip

Happening = tuple[str, int, int]
"""What, of whom, and after how many seconds."""
happenings = st.lists(st.tuples(st.sampled_from(WHATS), st.integers(0, 99), st.integers(0, 40)), max_size=60)
strategies = st.sampled_from((*STRATEGIES, "ring-all"))


class Story:
    """An Acd, and what is seen of it from outside."""

    def __init__(self, strategy: str) -> None:
        self.acd = Acd()
        self.acd.use(SKILLS, START)
        self.rules = replace(RULES, strategy=strategy)
        self.now = START
        self.calls = 0
        self.talks: dict[AgentId, str] = {}
        self.offers: dict[str, list[AgentId]] = {}
        """By caller who waits, who is rung."""

    def happen(self, what: str, which: int, after: int) -> None:
        self.now += timedelta(seconds=after)
        self.watch(lambda: self.acd.pass_time(self.now))
        self.watch(lambda: self.done(what, which))

    def watch(self, act: Callable[[], Sequence[Action]]) -> None:
        waited = [one for one in self.acd.callers() if not one.offers]
        self.see(act())
        self.check()
        self.check_order(waited)

    def done(self, what: str, which: int) -> Sequence[Action]:
        acd, agent, now = self.acd, AGENTS[which % len(AGENTS)], self.now
        ringing = [(call, agent) for call, agents in self.offers.items() for agent in agents]
        match what:
            case "enter":
                return self.enter(which)
            case "leave" if self.offers:
                call = list(self.offers)[which % len(self.offers)]
                rung = [Withdraw(call, agent) for agent in self.offers.pop(call)]
                actions = acd.leave(call, now)
                assert actions[: len(rung)] == rung
                return actions[len(rung) :]
            case "take" if ringing:
                call, agent = ringing[which % len(ringing)]
                others = [one for one in self.offers.pop(call) if one != agent]
                actions = acd.take(call, agent, now)
                self.talks[agent] = call
                assert actions[: len(others)] == [Withdraw(call, other) for other in others]
                return actions[len(others) :]
            case "fail" if ringing:
                call, agent = ringing[which % len(ringing)]
                self.offers[call].remove(agent)
                return acd.fail(call, agent, list(Failure)[which % len(Failure)], now)
            case "done":
                return acd.done(self.talks.pop(agent, ""), agent, now)
            case "log_in":
                return acd.log_in(agent, now)
            case "log_out":
                return acd.log_out(agent, now)
            case "pause":
                return acd.pause(agent, "lunch", now)
            case "resume":
                return acd.resume(agent, now)
            case _:
                return ()

    def enter(self, which: int) -> Sequence[Action]:
        self.calls += 1
        queue, agents = QUEUES[which % 2]
        call = f"call-{self.calls}"
        self.offers[call] = []
        needs = (("language", "vi"),) if which % 3 == 0 else ()
        caller = Caller(
            call, queue, self.now, self.rules, agents, which % 5 == 0, needs, 45.0 if needs else None
        )
        return self.acd.enter(caller, self.now)

    def see(self, actions: Sequence[Action]) -> None:
        """Take note, and hold each against what was known."""
        for action in actions:
            match action:
                case Offer(call, agent):
                    rung = [one for agents in self.offers.values() for one in agents]
                    assert agent not in rung, "no agent is offered two callers"
                    assert not self.offers[call] or self.rules.strategy == "ring-all"
                    self.offers[call].append(agent)
                case Withdraw(call, agent):
                    self.offers[call].remove(agent)
                case Dismiss(call):
                    assert self.offers.pop(call) == []
                case _:
                    pass

    def check(self) -> None:
        waiting = list(self.acd.callers())
        assert {one.caller.call_id: [agent.id for agent in one.offers] for one in waiting} == self.offers
        talking = [agent for agent in self.acd.agents() if agent.activity is Activity.TALKING]
        rung = [agent for one in waiting for agent in one.offers]
        assert all(agent.activity is Activity.OFFERED for agent in rung)
        assert not set(talking) & set(rung)
        free = [agent for agent in self.acd.agents() if agent.free]
        assert not [one for one in waiting if not one.offers and any(suits(one, agent) for agent in free)]
        for one in waiting:
            assert one.offers or any(
                agent.at_work for agent in self.acd.agents() if agent.id in one.caller.agents
            ), "nobody waits for nobody"

    def check_order(self, waited: Sequence[Waiting]) -> None:
        """Of those who waited, unoffered, with the same needs for the same agents, who came first is rung for
        first."""
        here = {id(one) for one in self.acd.callers()}
        waited = [one for one in waited if id(one) in here]
        for first, later in combinations(waited, 2):
            alike = (first.caller.queue, first.needs, [*first.serving]) == (
                later.caller.queue, later.needs, [*later.serving],
            )  # fmt: skip
            assert not (alike and first.key < later.key and later.offers and not first.offers), "overtaken"


def suits(waiting: Waiting, agent: Agent) -> bool:
    return agent in waiting.serving


@settings(max_examples=300, deadline=None)
@given(strategies, happenings)
def test_nobody_waits_while_somebody_free_would_suit_nor_is_overtaken(
    strategy: str, happened: list[Happening]
) -> None:
    story = Story(strategy)
    for one in happened:
        story.happen(*one)


@settings(max_examples=300, deadline=None)
@given(strategies, happenings)
def test_the_same_happenings_have_the_same_end(strategy: str, happened: list[Happening]) -> None:
    first, second = Story(strategy), Story(strategy)
    for one in happened:
        first.happen(*one)
        second.happen(*one)
    assert first.offers == second.offers
