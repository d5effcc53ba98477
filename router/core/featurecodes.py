"""Feature codes: agents come and go by keys of their own phones, and note what came of a call; they hear what
was understood.

Whose phone it is, its endpoint says, as Asterisk knows it (`PJSIP/100`): the caller id says nothing. A phone
of several agents is all of theirs.
"""

from collections.abc import Iterator, Mapping

import msgspec

from router.core.agents import AgentId, Change
from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase
from router.core.plan import CallPlan, HangUp, PlanNode, QueueRules, Speak
from router.core.ruleset import ClientRules, RuleSet

CONFIRMED = {
    Change.LOGGED_IN: Phrase.AGENT_IN,
    Change.LOGGED_OUT: Phrase.AGENT_OUT,
    Change.PAUSED: Phrase.AGENT_PAUSED,
    Change.RESUMED: Phrase.AGENT_BACK,
}
"""What is said once it is so."""

OTHERS = (Phrase.NO_CODE, Phrase.NO_CALL, Phrase.MORE_TIME, Phrase.NO_WRAP_UP, Phrase.NO_AGENT)
"""What else may be said, besides CODE_KEPT."""

BY_PHONE = "by phone"
"""The reason of a pause that an agent keyed in."""


class MoreTime(msgspec.Struct, frozen=True):
    """An agent wants a whole wrap-up more."""


class WrapUpCode(msgspec.Struct, frozen=True):
    """An agent says what came of the last call."""

    digits: str


Keyed = Change | MoreTime | WrapUpCode
"""What an agent keys in."""


class Reply(msgspec.Struct, frozen=True):
    """What an agent hears."""

    phrase: Phrase
    values: Mapping[str, str] = {}


def agents_at(rules: RuleSet, endpoint: str) -> list[AgentId]:
    """The agents whom that phone rings."""
    return [
        AgentId(client.id, name)
        for client in rules.clients.values()
        for name in sorted({agent for queue in client.queues.values() for agent in queue.agents})
        if any(target.dial == endpoint for target in client.people[name].phones)
    ]


def confirmation(rules: RuleSet, agents: list[AgentId], reply: Reply) -> CallPlan:
    """What who keyed it in meets: a sentence, in the language of the first agent's client, and the end."""
    those = [rules.clients[agent.client] for agent in agents] or rules.clients.values()
    queue = next((queue for client in those for queue in client.queues.values()), QueueRules())
    said = phrase(queue.language, queue.tone, reply.phrase, **reply.values)
    return CallPlan((PlanNode(said, 1), PlanNode(HangUp())))


def texts(client: ClientRules, queue: QueueRules) -> Iterator[Speak]:
    """All that may be said so at the phones of a queue's agents."""
    for one in (*CONFIRMED.values(), *OTHERS):
        yield phrase(queue.language, queue.tone, one)
    for code in client.codes.values():
        yield phrase(queue.language, queue.tone, Phrase.CODE_KEPT, tag=code.label)
