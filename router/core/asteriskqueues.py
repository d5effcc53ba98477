"""Queues of Asterisk's own that rules name. Only AMI tells what happens in them."""

from collections.abc import Iterator

from router.core.plan import AsteriskQueue
from router.core.remarks import RuleWarning
from router.core.ruleset import ClientRules, RuleSet
from router.core.spoken import nodes


def asterisk_queues(client: ClientRules) -> Iterator[tuple[str, str]]:
    """Those that calls to the client may come to, by name, each with where that is written."""
    for node in nodes(client):
        if isinstance(node.step, AsteriskQueue):
            yield node.step.queue, node.place


def not_followed(rules: RuleSet) -> tuple[RuleWarning, ...]:
    """A warning at each step that leads to such a queue, for a router without AMI."""
    found = {named for client in rules.clients.values() for named in asterisk_queues(client)}
    return tuple(sorted(_warning(*named) for named in found))


def _warning(queue: str, place: str) -> RuleWarning:
    file, _, line = place.rpartition(":")
    what = f"without AMI nobody knows whether callers in Asterisk's queue `{queue}` are answered"
    return RuleWarning(file, int(line), 1, what, "set `ami:` in the settings")
