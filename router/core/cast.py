"""The cast of a rehearsal: what everybody does in a call that nobody places.

What is given goes by names: a person's id, an endpoint or a number for phones, a queue's id, and `menu`,
`directory`, `message`, `callback` and `challenge` for what the caller does there. A list has what is done
each time, and the last stays. Those not named do as one would wish: phones answer, agents are there, the
caller leaves the message and asks to be called back; but presses no key where one is to be chosen, looks for
nobody in a directory, and fails a challenge. Whoever is looked for there is keyed in and chosen, and what the
phones of that person do is given as for any other call.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

import msgspec

from router.core.asteriskqueues import asterisk_queues
from router.core.numbers import PhoneNumber
from router.core.plan import (
    FAILED,
    OTHERWISE,
    PASSED,
    AsteriskQueue,
    AsteriskQueueOutcome,
    Callback,
    Challenge,
    Directory,
    Menu,
    Message,
    Queue,
    QueueOutcome,
    RingOutcome,
    Step,
    Target,
)
from router.core.remarks import UnknownNameError
from router.core.ruleset import RuleSet
from router.core.steps.queue import ANSWERED

Given = Mapping[str, tuple[str, ...]]

PHONES = (ANSWERED, *(outcome.value for outcome in RingOutcome))
"""What a phone can be told to do."""
MENU, DIRECTORY = "menu", "directory"
"""Names of what the caller does by a key, and by looking for a person."""
LEFT = "left"
"""What the caller does who leaves a message."""
REQUESTED = "requested"
"""What the caller does who asks to be called back."""
QUEUES = (ANSWERED, *(outcome.value for outcome in QueueOutcome))
"""What can come of a queue; without being told, an agent takes the call whose phone would answer."""
ASTERISK_QUEUES = (ANSWERED, *(outcome.value for outcome in AsteriskQueueOutcome))
"""What can come of a queue of Asterisk's; without being told, somebody there takes the call."""
CALLER: Mapping[str, tuple[str, ...]] = {
    DIRECTORY: (OTHERWISE,),
    "message": (LEFT, OTHERWISE),
    "callback": (REQUESTED, OTHERWISE),
    "challenge": (FAILED, PASSED),
}
"""What the caller can be told to do; the first is done without that."""


def names_of(target: Target) -> tuple[str, ...]:
    """What a phone goes by; the first says the most of it."""
    return target.number, target.dial, target.name


def name_of(step: Step) -> str | None:
    """What a step goes by; None for one with which nobody does anything."""
    match step:
        case Queue(queue) | AsteriskQueue(queue):
            return queue
        case Menu():
            return MENU
        case Directory():
            return DIRECTORY
        case Message():
            return "message"
        case Callback():
            return "callback"
        case Challenge():
            return "challenge"
        case _:
            return None


class Cast:
    """What is given, as it is done time after time."""

    def __init__(self, given: Given, country: str | None) -> None:
        """National numbers are read in `country`."""
        self._given = {_canonical(name, country): done for name, done in given.items()}
        self._times: Counter[str] = Counter()
        """How often each has been asked."""

    def ring(self, targets: Iterable[Target]) -> list[str]:
        """What each of some phones does that ring together, one of PHONES."""
        targets = tuple(targets)
        done = [self._done(names_of(target), PHONES) or ANSWERED for target in targets]
        self._times.update({name for target in targets for name in names_of(target)})
        return done

    def perform(self, step: Step) -> tuple[str, str]:
        """What comes of a step in which not only phones ring, and who answers, if somebody does: as
        QueueEnded tells it."""
        name = name_of(step)
        assert name is not None
        told = self._done((name,), _CAN.get(type(step)))
        self._times[name] += 1
        match step:
            case Queue(_, agents):
                return self._queue(told, agents)
            case AsteriskQueue(queue):
                return told or ANSWERED, queue
            case Menu(_, keys):
                return (told if told in keys else OTHERWISE), ""
            case _:
                return told or CALLER[name][0], ""

    def _queue(self, told: str | None, agents: tuple[str, ...]) -> tuple[str, str]:
        if told not in (None, ANSWERED):
            return told, ""
        agent = next(filter(self._answers, agents), None)
        if agent is not None:
            return ANSWERED, agent
        return (QueueOutcome.TIMEOUT if agents else QueueOutcome.EMPTY), ""

    def _answers(self, person: str) -> bool:
        return self._done((person,), PHONES) in (None, ANSWERED)

    def _done(self, names: Iterable[str], can: Collection[str] | None = None) -> str | None:
        """What is done now by who goes by one of these names. A name may be a person's and a queue's: only
        what the one who is meant `can` do counts."""
        for name in names:
            done = [one for one in self._given.get(name, ()) if can is None or one in can]
            if done:
                return done[: self._times[name] + 1][-1]
        return None


_CAN: Mapping[type[Step], tuple[str, ...]] = {Queue: QUEUES, AsteriskQueue: ASTERISK_QUEUES}


def _canonical(name: str, country: str | None) -> str:
    try:
        return PhoneNumber.parse(name, country).e164
    except ValueError:
        return name


class Wrong(msgspec.Struct, frozen=True):
    """Something given that cannot be."""

    error: ValueError
    """Says `what is wrong; what to write instead`."""
    in_name: bool
    """Else it is what is done."""


class Roles:
    """Whom rules have, by name."""

    def __init__(self, rules: RuleSet) -> None:
        self.people = {person for client in rules.clients.values() for person in client.people}
        self.found = {
            name for client in rules.clients.values() for name, person in client.people.items() if person.said
        }
        """Those whom a directory finds."""
        self.queues = {queue for client in rules.clients.values() for queue in client.queues}
        self.asterisk_queues = {
            queue for client in rules.clients.values() for queue, _ in asterisk_queues(client)
        }

    def what_is_wrong(self, name: str, done: Iterable[str]) -> Wrong | None:
        """Of one thing given: a misspelt name would do as one would wish, and prove nothing."""
        can = self._can(name)
        if not can:
            what = f"nobody is called `{name}`"
            instead = (
                f"write a person's or queue's id, PJSIP/ENDPOINT, a number, or one of {', '.join(_ACTS)}"
            )
            known = self.people | self.queues | self.asterisk_queues
            return Wrong(UnknownNameError.among(what, name, known, instead), in_name=True)
        for one in done:
            if one not in can and not (name == DIRECTORY and one in self.found):
                words = _FINDS if name == DIRECTORY else ", ".join(dict.fromkeys(can))
                what = f"`{one}` is nothing that `{name}` does; write one of {words}"
                return Wrong(ValueError(what), in_name=False)
        return None

    def _can(self, name: str) -> tuple[str, ...]:
        """What goes by this name can do; a directory finds people besides."""
        can: tuple[str, ...] = ()
        if name in self.people or name.startswith(("PJSIP/", "+")) or name[:1].isdigit():
            can += PHONES
        if name in self.queues:
            can += QUEUES
        if name in self.asterisk_queues:
            can += ASTERISK_QUEUES
        if name == MENU:
            can += _KEYS
        return can + CALLER.get(name, ())


_ACTS = (MENU, *CALLER)
_FINDS = "the ids of people with a name or an extension, whose client has a directory"
_KEYS = (*"0123456789*#", OTHERWISE)
