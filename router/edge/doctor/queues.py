"""Queues of Asterisk's own that rules lead to: are they there, and may AMI tell of them, and no more?"""

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

from router.core.asteriskqueues import asterisk_queues
from router.core.findings import Finding, error, not_checked, ok, warning
from router.core.remarks import did_you_mean
from router.edge.doctor.visit import CannotTellError, Visit

DANGEROUS = ("Originate", "Command", "UpdateConfig", "Redirect", "DBPut")
"""Actions of AMI by which whoever has the secret could have Asterisk do anything."""
RELOAD = ", then: asterisk -rx 'manager reload'"


async def queues(visit: Visit) -> AsyncIterator[Finding]:
    """The queues, and our user of AMI."""
    wanted = {
        name: place for client in visit.rules.clients.values() for name, place in asterisk_queues(client)
    }
    user = visit.settings.ami.user
    if not wanted:
        yield ok("no rule leads to a queue of Asterisk's own")
    elif not user:
        name, place = next(iter(wanted.items()))
        yield error(
            f"rules lead to Asterisk's queue `{name}`, and without `ami.user` nobody knows who is answered",
            "write `ami: {user: callrouter, secret_file: ami.secret}` in callrouter.yaml, and that user in "
            "manager.conf, with `read = agent`",
            place,
        )
    if not user:
        return
    allowed = (await visit.ask_ami("ListCommands"))[0]
    too_much = [action for action in DANGEROUS if action in allowed]
    if too_much:
        what = f"AMI's user `{user}` may do more than it needs: {', '.join(too_much)}"
        yield warning(what, f"take `write` out of [{user}] in manager.conf{RELOAD}", "manager.conf")
    if wanted:
        yield await _listens(visit, user)
        # Without app_queue there is no such action, and a list of it would be waited for in vain.
        if "QueueStatus" not in allowed:
            raise CannotTellError("queues of Asterisk's own: app_queue.so is not loaded")
        for finding in _queues(wanted, await visit.ask_ami("QueueStatus", listed=True)):
            yield finding


async def _listens(visit: Visit, user: str) -> Finding:
    try:
        shown = await visit.ask_console(f"manager show user {user}")
    except CannotTellError as why:
        what = f"whether AMI's user `{user}` has `read = agent`: {why}"
        return not_checked(what, "look at manager.conf, or give --console")
    found = re.search(r"read perm:\s*(?P<classes>\S+)", shown)
    classes = found["classes"].split(",") if found else []
    if {"agent", "all"}.isdisjoint(classes):
        what = f"AMI's user `{user}` is not told of queues: it reads {', '.join(classes) or 'nothing'}"
        return error(what, f"write `read = agent` in [{user}] of manager.conf{RELOAD}", "manager.conf")
    return ok(f"AMI's user `{user}` is told of queues")


def _queues(wanted: Mapping[str, str], rows: Iterable[Mapping[str, str]]) -> Iterator[Finding]:
    known = sorted({row["Queue"] for row in rows if row.get("Event") == "QueueParams"})
    unknown = {name: place for name, place in wanted.items() if name not in known}
    for name, place in unknown.items():
        otherwise = f"write [{name}] in queues.conf, then: asterisk -rx 'queue reload all'"
        yield error(f"Asterisk has no queue `{name}`", did_you_mean(name, known, otherwise), place)
    if not unknown:
        yield ok(f"Asterisk has all {len(wanted)} queue(s) that rules lead to")
