"""What is said by MQTT, and where: topics, and what stands in them. A public contract.

Below PREFIX (`mqtt.prefix`):

    events/CLIENT/call/ended             each notice (core/notices.py), by its type; `-` is the client where
                                         nobody has the number that was called
    events/CLIENT/follow_up/due/TOPIC    what is to be done after a call, by the topic that the rules say
    queues/CLIENT/QUEUE                  retained: how a queue stands
    agents/CLIENT/PERSON                 retained: what an agent does
    routers/NAME/status                  retained: `online`, `draining` or `offline`, also if it died (will)
    routers/NAME/commands/agents/CLIENT/PERSON
                                         {"do": "login" | "logout" | "pause" | "resume", "reason": "lunch"}
    routers/NAME/commands/tags/CALL      {"tag": "booking", "remove": false}
    routers/NAME/commands/reload         {}
    answers/...                          what became of a command that names its response topic there (MQTT 5)

Each command may say `who` gives it. A broker's ACL decides who may publish them, and `mqtt.commands` which
are obeyed at all.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal

import msgspec

from router.core.agents import Change
from router.edge.queueviews import SeenAgent, SeenQueue
from router.edge.store.outbox import Outgoing

NOBODY = "-"

FOLLOW_UP = "follow_up.due"
"""The type of notices whose topics the rules say."""

_ENCODER = msgspec.json.Encoder()


class QueueStanding(msgspec.Struct, frozen=True):
    """How a queue stands, as it is retained."""

    client: str
    queue: str
    waiting: int
    longest_since: datetime | None
    callers: tuple[str, ...]
    """Ids of their calls, in the order in which they wait."""
    agents: dict[str, int]
    """How many are in each state."""


class AgentStanding(msgspec.Struct, frozen=True):
    """What an agent does, as it is retained."""

    client: str
    person: str
    state: str
    since: datetime | None
    reason: str
    calls: int
    call_id: str
    queues: tuple[str, ...]


class RouterStatus(msgspec.Struct, frozen=True):
    """How a router stands, as it is retained."""

    state: Literal["online", "draining", "offline"]
    asterisk: bool
    """Whether it has sight of it."""
    version: str


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a command."""

    done: bool
    error: str = ""
    remark: str = ""
    """What else there is to say of what was done."""


class OrderAgent(msgspec.Struct, frozen=True):
    """An agent is to come, go, pause or go on."""

    client: str
    person: str
    change: Change
    reason: str
    who: str


class OrderTag(msgspec.Struct, frozen=True):
    """A call is to be tagged, or no longer."""

    call_id: str
    tag: str
    removed: bool
    who: str


class OrderReload(msgspec.Struct, frozen=True):
    """The rules are to be read again."""

    who: str


Order = OrderAgent | OrderTag | OrderReload


class NoOrderError(Exception):
    """What cannot be obeyed; the text says why."""


class _OfFollowUp(msgspec.Struct):
    """What a notice of a follow-up says of its topic."""

    topic: str


class _ToAgent(msgspec.Struct, forbid_unknown_fields=True):
    do: Literal["login", "logout", "pause", "resume"]
    reason: str = ""
    who: str = "mqtt"


class _ToTag(msgspec.Struct, forbid_unknown_fields=True):
    tag: str
    remove: bool = False
    who: str = "mqtt"


class _ToReload(msgspec.Struct, forbid_unknown_fields=True):
    who: str = "mqtt"


_CHANGES = {
    "login": Change.LOGGED_IN,
    "logout": Change.LOGGED_OUT,
    "pause": Change.PAUSED,
    "resume": Change.RESUMED,
}


def as_json(said: Answer | RouterStatus) -> bytes:
    """As it is published."""
    return _ENCODER.encode(said)


class Topics:
    """The topics of one router."""

    def __init__(self, prefix: str, router: str) -> None:
        self._prefix = prefix
        self.status = f"{prefix}/routers/{router}/status"
        self._commands = f"{prefix}/routers/{router}/commands"
        self._answers = f"{prefix}/answers/"

    def of_notice(self, notice: Outgoing) -> str:
        """Where a notice is published."""
        topic = f"{self._prefix}/events/{notice.client or NOBODY}/{notice.type.replace('.', '/')}"
        if notice.type != FOLLOW_UP:
            return topic
        return f"{topic}/{msgspec.json.decode(notice.body, type=_OfFollowUp).topic}"

    def standings(self, queues: Iterable[SeenQueue]) -> Iterator[tuple[str, bytes]]:
        """How all queues and their agents stand: topics, and what is retained there."""
        agents: dict[tuple[str, str], tuple[SeenAgent, list[str]]] = {}
        for queue in queues:
            yield f"{self._prefix}/queues/{queue.client}/{queue.queue}", _ENCODER.encode(_standing(queue))
            for agent in queue.agents:
                agents.setdefault((queue.client, agent.person), (agent, []))[1].append(queue.queue)
        for (client, person), (agent, names) in agents.items():
            known = msgspec.structs.asdict(agent)
            standing = AgentStanding(client=client, queues=tuple(names), **known)
            yield f"{self._prefix}/agents/{client}/{person}", _ENCODER.encode(standing)

    def listened_to(self, kinds: Iterable[str]) -> list[str]:
        """What is to be subscribed to, to obey those kinds of commands."""
        return [f"{self._commands}/{kind}" + ("/#" if kind != "reload" else "") for kind in kinds]

    def may_be_answered(self, topic: str) -> bool:
        """Whether an answer may be published there: who may command need not be allowed to say anything
        anywhere."""
        return topic.startswith(self._answers) and not set(topic) & set("+#")

    def read(self, topic: str, payload: bytes) -> Order:
        """A command as it came. Raises NoOrderError."""
        try:
            match topic.removeprefix(self._commands + "/").split("/"):
                case ["agents", client, person]:
                    told = msgspec.json.decode(payload, type=_ToAgent)
                    change = _CHANGES[told.do]
                    reason = _plain(told.reason) or "pause" if change is Change.PAUSED else ""
                    return OrderAgent(client, person, change, reason, _plain(told.who))
                case ["tags", call]:
                    tag = msgspec.json.decode(payload, type=_ToTag)
                    return OrderTag(call, tag.tag, tag.remove, _plain(tag.who))
                case ["reload"]:
                    return OrderReload(_plain(msgspec.json.decode(payload or b"{}", type=_ToReload).who))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise NoOrderError(str(error)) from error
        raise NoOrderError("no command has that topic")


def _standing(queue: SeenQueue) -> QueueStanding:
    states: dict[str, int] = {}
    for agent in queue.agents:
        states[agent.state] = states.get(agent.state, 0) + 1
    longest = min((caller.since for caller in queue.callers), default=None)
    callers = tuple(caller.call_id for caller in queue.callers)
    return QueueStanding(queue.client, queue.queue, len(callers), longest, callers, states)


def _plain(text: str) -> str:
    return "".join(filter(str.isprintable, text))[:80]
