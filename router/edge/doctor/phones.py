"""Does Asterisk know the trunk and the phones, and are they there?"""

import re
from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote

import msgspec

from router.core.findings import NAMED, Finding, error, named, not_checked, ok, warning
from router.core.needs import Endpoint, endpoint_of, phones, trunk_of
from router.core.remarks import did_you_mean
from router.edge.doctor.visit import Visit


class SeenEndpoint(msgspec.Struct, frozen=True):
    """As ARI shows one."""

    technology: str
    resource: str
    state: str = "unknown"


class Attribute(msgspec.Struct, frozen=True):
    attribute: str
    value: str


async def known_endpoints(visit: Visit) -> dict[Endpoint, str]:
    """All that Asterisk has, each with its state: `online`, `offline` or `unknown`."""
    found = await visit.get("endpoints", list[SeenEndpoint])
    return {Endpoint(one.technology, one.resource): one.state for one in found or ()}


async def attributes_of(visit: Visit, endpoint: Endpoint) -> Mapping[str, str] | None:
    """What pjsip.conf, or what is in its place, says of an endpoint of PJSIP; None where there is none."""
    if endpoint.technology != "PJSIP":
        return None
    path = f"asterisk/config/dynamic/res_pjsip/endpoint/{quote(endpoint.resource, safe='')}"
    found = await visit.get(path, list[Attribute])
    return None if found is None else {one.attribute: one.value for one in found}


async def trunk(visit: Visit) -> AsyncIterator[Finding]:
    """Can numbers outside be dialled, and can the trunk not do more than it should?"""
    endpoint = trunk_of(visit.settings.trunk)
    if endpoint is None:
        yield ok("no `trunk` is set: no number outside is dialled")
        return
    known = await known_endpoints(visit)
    if endpoint not in known:
        names = sorted(one.resource for one in known)
        otherwise = "define it in pjsip.conf, or set `trunk: PJSIP/{number}@ENDPOINT` in callrouter.yaml"
        yield error(
            f"Asterisk knows no endpoint {endpoint}, which `trunk` dials through",
            did_you_mean(endpoint.resource, names, otherwise),
            str(endpoint),
        )
        return
    if known[endpoint] == "offline":
        remedy = f"look at: asterisk -rx 'pjsip show endpoint {endpoint.resource}'"
        yield error("the trunk is offline: nobody outside can be dialled", remedy, str(endpoint))
    else:
        yield ok(f"the trunk is known, and {known[endpoint]}", str(endpoint))
    attributes = await attributes_of(visit, endpoint) or {}
    if attributes.get("allow_transfer", "false").lower() in ("true", "yes"):
        remedy = "write `allow_transfer=no` for it in pjsip.conf, then: asterisk -rx 'pjsip reload'"
        yield warning("the trunk may transfer calls; nobody outside needs to", remedy, str(endpoint))


_REGISTRATION = re.compile(
    r"\s*(?P<name>[^\s/]+)/(?P<server>sips?:\S+)\s.*?\s(?P<status>Registered|Unregistered|Rejected|Stopped)\b"
)


async def registrations(visit: Visit) -> AsyncIterator[Finding]:
    """Is Asterisk registered where calls come from, if it is to register there?"""
    seen = False
    for line in (await visit.ask_console("pjsip show registrations")).splitlines():
        found = _REGISTRATION.match(line)
        if found is None:
            continue
        seen = True
        if found["status"] == "Registered":
            yield ok(f"Asterisk is registered as `{found['name']}`", found["server"])
            continue
        remedy = f"look at: asterisk -rx 'pjsip show registration {found['name']}', and at Asterisk's log"
        what = f"Asterisk is not registered as `{found['name']}`, so no calls come from there"
        yield error(f"{what} ({found['status'].lower()})", remedy, found["server"])
    if not seen:
        yield ok("Asterisk registers nowhere: calls come by address")


async def people(visit: Visit) -> AsyncIterator[Finding]:
    """Are the phones that rules ring known, and registered?"""
    wanted = phones(visit.rules)
    known = await known_endpoints(visit)
    resources = sorted(one.resource for one in known)
    unknown, away, unasked = [], [], []
    for dial, of in wanted.items():
        endpoint = endpoint_of(dial)
        if endpoint is None:
            unasked.append(dial)
        elif endpoint not in known:
            hint = did_you_mean(endpoint.resource, resources, "define it in pjsip.conf, or correct the rules")
            what = f"Asterisk knows no endpoint {endpoint}, which is to ring for {of.who}"
            unknown.append(error(what, hint, of.place))
        elif known[endpoint] == "offline":
            away.append(f"{endpoint} ({of.who})")
    for finding in unknown[:NAMED]:
        yield finding
    if len(unknown) > NAMED:
        yield error(f"{len(unknown) - NAMED} more phones are not known", "as above")
    if away:
        what = f"{len(away)} of {len(wanted)} phones are not registered: {named(away)}"
        yield warning(what, "see that they have power and net; asterisk -rx 'pjsip show contacts'")
    if unasked:
        yield not_checked(f"{named(unasked)}: only a call shows what that rings", "call it")
    if wanted and not (unknown or away):
        yield ok(f"all {len(wanted)} phone(s) of the rules are known and registered")
