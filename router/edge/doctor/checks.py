"""All checks, and how they are done: side by side, each within a limit, and one that fails harms no other.

To add one: write `async def NAME(visit) -> AsyncIterator[Finding]` in the module of its theme, and name it
here.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from router.core.findings import Finding, Report, not_checked
from router.edge.doctor import (
    access,
    broker,
    clocks,
    daemon,
    deliveries,
    dialplan,
    keeping,
    modules,
    phones,
    queues,
    rules,
    sounds,
)
from router.edge.doctor.visit import CannotTellError, Doctored, Visit, visit

LIMIT = 30.0
"""Seconds for one check."""


class Check(NamedTuple):
    """One check, and its name for people."""

    name: str
    look: Callable[[Visit], AsyncIterator[Finding]]


CHECKS = (
    Check("versions", daemon.versions),
    Check("rules", rules.rules),
    Check("router", daemon.daemon),
    Check("ari", access.ari),
    Check("ami", access.ami),
    Check("openness", access.openness),
    Check("sessions", access.sessions),
    Check("modules", modules.modules),
    Check("break-glass", dialplan.break_glass),
    Check("dialplan", dialplan.dialplan),
    Check("trunk", phones.trunk),
    Check("registrations", phones.registrations),
    Check("phones", phones.people),
    Check("prompts", sounds.prompts),
    Check("sounds", sounds.asterisks),
    Check("recordings", sounds.recorded),
    Check("asterisk-queues", queues.queues),
    Check("clock", clocks.asterisk),
    Check("zones", clocks.zones),
    Check("database", keeping.database),
    Check("disk", keeping.folders),
    Check("mail", deliveries.mail),
    Check("webhooks", deliveries.webhooks),
    Check("broker", broker.broker),
)
"""In the order in which they are shown."""


async def examine(of: Doctored, checks: tuple[Check, ...] = CHECKS) -> list[Report]:
    """What all checks find."""
    async with visit(of) as seen:
        return list(await asyncio.gather(*(_report(check, seen) for check in checks)))


async def _report(check: Check, seen: Visit) -> Report:
    found: list[Finding] = []
    try:
        async with asyncio.timeout(LIMIT):
            async for finding in check.look(seen):
                found.append(finding)  # noqa: PERF401 - what is found before a failure is kept
    except CannotTellError as why:
        found.append(not_checked(str(why), why.remedy))
    except TimeoutError:
        found.append(not_checked(f"the rest: it took longer than {LIMIT:g} s"))
    except Exception as problem:  # A fault of one check must not hide what the others find.
        found.append(not_checked(f"the rest: the check itself failed ({type(problem).__name__}: {problem})"))
    return Report(check.name, tuple(found))
