"""Who may supervise whom, by the rules.

Whose phone it is, its endpoint says, as with all feature codes. Supervisors are a queue's: they may hear the
talks that it has given to its agents, and no others. A phone of several supervisors may hear what any of them
may.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from router.core.agents import AgentId, QueueId
from router.core.call import Call, Talking
from router.core.languages.catalogue import Tone
from router.core.plan import Queue
from router.core.ruleset import ClientRules, PersonRules, RuleSet
from router.core.supervision import Mode, Refusal, Talk

Permits = Mapping[QueueId, str]
"""The queues whose talks may be heard, each with who may: one of its client's people."""

_NUMBERED = re.compile(r"PJSIP/([0-9]+)")


class Wish(NamedTuple):
    """What a phone asked for: how, and whose talks by the agent's number; empty for anybody's."""

    mode: Mode
    number: str


def permits(rules: RuleSet, endpoint: str) -> dict[QueueId, str]:
    """What may be heard from a phone."""
    return {
        QueueId(client.id, queue): person
        for client in rules.clients.values()
        for queue, supervisors in client.supervisors.items()
        for person in supervisors
        if rings(client.people[person], endpoint)
    }


def rings(person: PersonRules, endpoint: str) -> bool:
    """True if that is one of a person's phones."""
    return any(target.dial == endpoint for target in person.phones)


def number_of(person: PersonRules) -> str:
    """The short number by which a person is supervised: the extension or, without one, the digits of the
    phone; empty where there is neither."""
    numbered = (_NUMBERED.fullmatch(target.dial) for target in person.phones)
    return person.extension or next((found[1] for found in numbered if found), "")


def wanted(rules: RuleSet, permitted: Permits, number: str) -> frozenset[AgentId] | Refusal:
    """The agents of that number whose talks may be heard; of no number, none in particular."""
    if not permitted:
        return Refusal.NOT_PERMITTED
    if not number:
        return frozenset()
    own = (QueueId(client.id, name) for client in rules.clients.values() for name in client.queues)
    found = frozenset(_numbered(rules, permitted, number))
    if found:
        return found
    return Refusal.NOT_PERMITTED if any(_numbered(rules, own, number)) else Refusal.NO_SUCH_AGENT


def _numbered(rules: RuleSet, queues: Iterable[QueueId], number: str) -> Iterator[AgentId]:
    for queue in queues:
        client = rules.clients[queue.client]
        for agent in client.queues[queue.name].agents:
            if number_of(client.people[agent]) == number:
                yield AgentId(client.id, agent)


def speech_of(rules: RuleSet, endpoint: str, permitted: Permits) -> tuple[str, Tone]:
    """How who is at that phone is spoken to: as the client wants it whose talks may be heard or, where there
    is none, whose phone it is; else as any client with queues."""

    def nearness(client: ClientRules) -> int:
        if any(queue.client == client.id for queue in permitted):
            return 0
        return 1 if any(rings(person, endpoint) for person in client.people.values()) else 2

    clients = sorted((one for one in rules.clients.values() if one.queues), key=nearness)
    queue = next((queue for one in clients for queue in one.queues.values()), None)
    return ("en", "formal") if queue is None else (queue.language, queue.tone)


def owner_of(rules: RuleSet, endpoint: str, permitted: Permits) -> tuple[str, str]:
    """Whose phone it is, for the record: a client and a person; a supervisor before others."""
    for queue, person in permitted.items():
        return queue.client, person
    for client in rules.clients.values():
        for name, person_rules in client.people.items():
            if rings(person_rules, endpoint):
                return client.id, name
    return "", ""


def talk_of(
    call: Call, channel_id: Callable[[int], str], rules: RuleSet, permitted: Permits, endpoint: str
) -> Talk | None:
    """The talk of a call, if it may be heard from a phone; nobody hears their own. `channel_id` gives
    Asterisk's id of a leg's channel."""
    if not (isinstance(call.state, Talking) and call.agent and call.talk_began):
        return None
    client = rules.clients.get(call.info.client or "")
    steps = (call.plan.nodes[at].step for at in reversed(call.met))
    queue = next((step.queue for step in steps if isinstance(step, Queue)), "")
    supervisor = permitted.get(QueueId(call.info.client or "", queue))
    if client is None or supervisor is None or call.legs[call.state.leg].target.dial == endpoint:
        return None
    agent = client.people.get(call.agent)
    number = "" if agent is None else number_of(agent)
    return Talk(
        call.talk_began,
        call.info.id,
        AgentId(client.id, call.agent),
        number,
        channel_id(call.state.leg),
        supervisor,
    )
