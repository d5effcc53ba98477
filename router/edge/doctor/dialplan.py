"""Do calls come from the dialplan to us, and what becomes of them without us?"""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from router.core.asteriskdialplan import (
    ENTRANCE,
    OURS,
    AsteriskDialplan,
    Lead,
    Led,
    dialplan_of,
    find,
    follow,
    read_ami,
    read_console,
)
from router.core.findings import NAMED, Finding, error, not_checked, note, ok, warning
from router.core.needs import Endpoint, agents_phones, endpoint_of, endpoints_of, supervisors_phones, trunk_of
from router.core.numbers import NumberPattern
from router.core.ruleset import ClientRules
from router.edge.doctor.console import Console
from router.edge.doctor.phones import attributes_of, known_endpoints
from router.edge.doctor.visit import CannotTellError, Visit, aside

RELOAD = "asterisk -rx 'dialplan reload'"
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
        if not unknown:
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
    contexts = visit.of.contexts or await _contexts_of_trunk(visit)
    for context in contexts:
        for finding in await aside(partial(_hook, visit, shown, context)):
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


def _hook(visit: Visit, shown: AsteriskDialplan, context: str) -> list[Finding]:
    """Of one context in which calls come in. It may take a while."""
    where = f"context {context}"
    if context not in shown:
        return [error("Asterisk has no such context", "correct `context` of the trunk, or --context", where)]
    dead_man = find(shown, context, "T")
    found = []
    if dead_man is not None and dead_man[0] not in OURS:
        what = f"[{dead_man[0]}] has an extension T, which is taken for callrouter's dead-man"
        found.append(error(what, f"give it another name, then: {RELOAD}", dead_man[1].place or where))
    numbers = [
        _Number(client.id, own.pattern, _leads(visit, shown, context, client, own.pattern))
        for client in visit.rules.clients.values()
        for own in client.numbers
    ]
    if numbers and not any(one.best.lead in (Lead.HERE, Lead.UNCLEAR) for one in numbers):
        what = f"no number of any client comes from the context [{context}] to callrouter"
        remedy = f"write `include => callrouter` as the last line of [{context}], then: {RELOAD}"
        return [*found, error(what, remedy, "extensions.conf")]
    return [*found, *_of_numbers(context, numbers)]


class _Number(NamedTuple):
    """A number of a client's, and where calls to it lead, in each form in which a trunk may write it."""

    client: str
    pattern: NumberPattern
    leads: tuple[tuple[str, Led], ...]

    @property
    def best(self) -> Led:
        """In the form that leads furthest: who knows how the trunk writes it?"""
        return min((led for _, led in self.leads), key=lambda led: _ORDER.index(led.lead))

    @property
    def taken(self) -> tuple[str, Led] | None:
        """The first form in which something else takes it."""
        return next((one for one in self.leads if one[1].lead is Lead.ELSEWHERE), None)


_ORDER = (Lead.HERE, Lead.UNCLEAR, Lead.ELSEWHERE, Lead.NOWHERE)


def _leads(
    visit: Visit, shown: AsteriskDialplan, context: str, client: ClientRules, pattern: NumberPattern
) -> tuple[tuple[str, Led], ...]:
    """Of a pattern with wildcards those of the example that comes least far."""
    app = visit.settings.ari.app
    found = []
    for number in pattern.examples():
        digits = number.e164.removeprefix("+")
        forms = dict.fromkeys((number.e164, digits, number.said_in(client.country), f"00{digits}"))
        found.append(tuple((form, follow(shown, context, form, app)) for form in forms))
    return max(found, key=_badness)


def _badness(leads: tuple[tuple[str, Led], ...]) -> tuple[int, int]:
    ranks = [_ORDER.index(led.lead) for _, led in leads]
    return min(ranks), sum(led.lead is Lead.ELSEWHERE for _, led in leads)


def _of_numbers(context: str, numbers: Sequence[_Number]) -> Iterator[Finding]:
    """By what is to be done, and by client where that is nothing."""
    lost = [one for one in numbers if one.best.lead in (Lead.ELSEWHERE, Lead.NOWHERE)]
    yield from (_lost(context, one) for one in lost[:NAMED])
    if len(lost) > NAMED:
        yield error(f"{len(lost) - NAMED} more numbers do not come to callrouter", "as above")
    come = Counter(one.client for one in numbers if one.best.lead is Lead.HERE)
    taken = [(one, one.taken) for one in numbers if one.best.lead is Lead.HERE]
    for one, (form, led) in [(one, other) for one, other in taken if other is not None][:NAMED]:
        what = f"calls to {one.pattern.text} of {one.client} go elsewhere if the trunk writes it as {form}"
        yield warning(f"{what}: {_taker(led)} takes them", _SEND_ON, _place(led, context))
    unclear = [one for one in numbers if one.best.lead is Lead.UNCLEAR]
    if unclear:
        first, led = unclear[0], unclear[0].best
        more = f" and {len(unclear) - 1} more numbers" if len(unclear) > 1 else ""
        what = f"whether {first.pattern.text} of {first.client}{more} comes to callrouter"
        yield not_checked(f"{what}: {_taker(led)} says so as it runs", "call it", _place(led, context))
    for client, many in come.items():
        yield ok(f"of {client} {many} number(s) come to callrouter", f"context {context}")


def _lost(context: str, one: _Number) -> Finding:
    led = one.best
    what = f"calls to {one.pattern.text} of {one.client} do not come to callrouter"
    if led.extension is None:
        remedy = f"write `include => callrouter` as the last line of [{led.context}], then: {RELOAD}"
        return error(f"{what}: nothing in [{led.context}] takes them", remedy, f"context {context}")
    return error(f"{what}: {_taker(led)} takes them", _SEND_ON, _place(led, context))


_SEND_ON = (
    "remove that extension, or have it say Goto(callrouter,${FILTER(+0-9,${EXTEN})},1); then: " + RELOAD
)


def _taker(led: Led) -> str:
    return f"`{led.extension.pattern}` of [{led.context}]" if led.extension else f"[{led.context}]"


def _place(led: Led, context: str) -> str:
    return (led.extension and led.extension.place) or f"context {context}"


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
