"""Do calls come from the dialplan to us, and what becomes of them without us?"""

from collections.abc import AsyncIterator
from functools import partial

import msgspec

from router.core.asteriskdialplan import (
    ENTRANCE,
    OURS,
    AsteriskDialplan,
    dialplan_of,
    find,
    read_ami,
    read_console,
)
from router.core.findings import Finding, error, note, ok, warning
from router.core.hook import RELOAD, look_in
from router.core.needs import Endpoint, agents_phones, endpoint_of, endpoints_of, supervisors_phones, trunk_of
from router.edge.doctor.console import Console
from router.edge.doctor.phones import attributes_of, known_endpoints
from router.edge.doctor.visit import CannotTellError, Visit, aside

MOST_PHONES = 50
"""Phones of agents whose contexts are asked for."""


class Variable(msgspec.Struct, frozen=True):
    value: str = ""


async def _global(visit: Visit, name: str) -> str:
    """A global variable of the dialplan; empty where it is not set."""
    found = await visit.get(f"asterisk/variable?variable={name}", Variable)
    return found.value.strip() if found else ""


async def break_glass(visit: Visit) -> AsyncIterator[Finding]:
    """Who is rung without a router, and is it our application that the dialplan enters?"""
    dials = await _global(visit, "CALLROUTER_BREAKGLASS")
    where = "extensions.conf, [globals]"
    if not dials:
        remedy = f"write `CALLROUTER_BREAKGLASS=PJSIP/100` there, then: {RELOAD}"
        yield warning("nobody is rung while there is no router: callers hear an apology", remedy, where)
    else:
        known = await known_endpoints(visit)
        unknown = [one for one in endpoints_of(dials) if one not in known and "$" not in one.resource]
        for endpoint in unknown:
            what = f"break-glass rings {endpoint}, which Asterisk does not know"
            yield error(what, f"correct CALLROUTER_BREAKGLASS there, then: {RELOAD}", where)
        there = [one for one in endpoints_of(dials) if one in known]
        if not unknown and there and all(known[one] == "offline" for one in there):
            what = f"break-glass rings {dials}, and nothing of that is registered"
            yield warning(what, "see that those phones have power and net, or name others", where)
        elif not unknown:
            yield ok(f"without a router {dials} is rung", where)
    app, ours = await _global(visit, "CALLROUTER_APP") or ENTRANCE, visit.settings.ari.app
    if app != ours:
        what = f"the dialplan sends callers to the application `{app}`, and the router is `{ours}`"
        yield error(what, f"write `CALLROUTER_APP={ours}` there, or set `ari.app: {app}`", where)


async def dialplan(visit: Visit) -> AsyncIterator[Finding]:
    """Is our part there, and does every client's number come to it?"""
    shown = await _shown(visit)
    missing = [name for name in OURS if name not in shown]
    if ENTRANCE in missing:
        remedy = (
            "cp dialplan/callrouter.conf /etc/asterisk/, and write `#include callrouter.conf` in "
            f"extensions.conf, outside any context; then: {RELOAD}"
        )
        yield error(f"callrouter's part of the dialplan is not there: no context [{ENTRANCE}]", remedy)
        return
    if missing:
        remedy = f"cp dialplan/callrouter.conf of this version to /etc/asterisk/, then: {RELOAD}"
        yield error(f"callrouter.conf is of another version: no context [{'], ['.join(missing)}]", remedy)
    else:
        yield ok("callrouter's part of the dialplan is there, whole")
    rules, app = visit.rules, visit.settings.ari.app
    for context in visit.of.contexts or await _contexts_of_trunk(visit):
        for finding in await aside(partial(look_in, shown, context, rules, app)):
            yield finding
    for finding in await _codes(visit, shown):
        yield finding


async def _shown(visit: Visit) -> AsteriskDialplan:
    """By the console, which knows files and lines too, or else by AMI."""
    if isinstance(visit.console, Console):
        text = await visit.ask_console("dialplan show")
        return await aside(lambda: dialplan_of(read_console(text)))
    why = f"no console ({visit.console})"
    try:
        # What the user may not do is not in the list, and would be answered by no list either.
        if "ShowDialPlan" in (await visit.ask_ami("ListCommands"))[0]:
            return dialplan_of(read_ami(await visit.ask_ami("ShowDialPlan", listed=True)))
    except CannotTellError as problem:
        why += f", and {problem}"
    else:
        why += f", and AMI's user `{visit.settings.ami.user}` may not see it"
    raise CannotTellError(
        f"whether calls come to callrouter: the dialplan is not shown: {why}",
        "run doctor beside Asterisk as a user who may use `asterisk -rx`, give --console 'ssh HOST asterisk "
        "-rx', or give the AMI user `write = reporting`",
    )


async def _contexts_of_trunk(visit: Visit) -> tuple[str, ...]:
    trunk = trunk_of(visit.settings.trunk)
    attributes = await attributes_of(visit, trunk) if trunk else None
    if not attributes or not attributes.get("context"):
        what = f"the endpoint {trunk} is not known" if trunk else "no `trunk` is set"
        raise CannotTellError(
            f"in which context calls come in: {what}", "give --context NAME, that of your trunk"
        )
    return (attributes["context"],)


async def _codes(visit: Visit, shown: AsteriskDialplan) -> list[Finding]:
    """Can agents and supervisors key in their codes?"""
    found = []
    for who, code, ours, phones in (
        ("agents", "*81", "callrouter-agents", agents_phones(visit.rules)),
        ("supervisors", "*85", "callrouter-supervisors", supervisors_phones(visit.rules)),
    ):
        contexts: dict[str, Endpoint] = {}
        for endpoint in [one for one in map(endpoint_of, phones) if one is not None][:MOST_PHONES]:
            attributes = await attributes_of(visit, endpoint)
            if attributes and attributes.get("context"):
                contexts.setdefault(attributes["context"], endpoint)
        without = [one for one in contexts if (find(shown, one, code) or ("",))[0] != ours]
        for context in without:
            what = f"{who} cannot use their codes: {code} leads elsewhere for {contexts[context]}"
            remedy = f"write `include => {ours}` in [{context}] of extensions.conf, then: {RELOAD}"
            found.append(note(what, remedy, f"context {context}"))
        if contexts and not without:
            found.append(ok(f"{who} can use their codes from {len(contexts)} context(s)"))
    return found
