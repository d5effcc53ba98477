"""Can Asterisk be reached by us, and by whom else?"""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from router.core.findings import Finding, error, not_checked, note, ok, warning
from router.edge.ami import Ami
from router.edge.ari.errors import SetupError
from router.edge.ari.opening import check_version
from router.edge.doctor.listening import Port, port
from router.edge.doctor.visit import CannotTellError, Visit, aside
from router.settings import WELL_KNOWN, is_loopback

DEFAULT_SESSIONS = 100
"""What http.conf has for `sessionlimit` where it does not say (`DEFAULT_SESSION_LIMIT`, main/http.c)."""
FEW_SESSIONS = 20
"""The router alone takes up to five."""
FULL = 0.7
"""The share of a limit from which on it is nearly reached."""


async def ari(visit: Visit) -> AsyncIterator[Finding]:
    """Does ARI answer, and to us?"""
    settings, info = visit.settings.ari, visit.info
    if not settings.password.get_secret_value():
        remedy = "write `password_file: /etc/callrouter/ari.secret` under `ari:` in callrouter.yaml"
        yield error("no `ari.password` is set, and Asterisk takes no user without one", remedy)
    elif isinstance(info, SetupError):
        yield error(f"ARI does not answer as it should: {info.detail}", info.advice, settings.url)
    else:
        yield ok(f"ARI answers the user `{settings.username}`", settings.url)
        try:
            check_version(settings.url, info)
        except SetupError as problem:
            remedy = "install Asterisk 22.7 or newer"
            yield error(f"{problem.detail}; callrouter needs 22.7 or newer", remedy)
        else:
            yield ok(f"Asterisk {info.system.version if info.system else ''}")
    host = urlsplit(settings.url).hostname or ""
    if not is_loopback(host) and settings.url.startswith("http://"):
        remedy = "use https (`tlsenable=yes` in http.conf), or a net that nobody else is in"
        yield warning("the password of ARI, and all that is done, crosses the net unencrypted", remedy, host)


async def ami(visit: Visit) -> AsyncIterator[Finding]:
    """Does AMI answer, where it is used?"""
    settings = visit.settings.ami
    where = f"{settings.host}:{settings.port}"
    if not settings.user:
        yield ok("AMI is not used")
    elif isinstance(visit.ami, Ami):
        yield ok(f"AMI answers the user `{settings.user}`", where)
    else:
        remedy = (
            "look at `ami:` in callrouter.yaml, and at manager.conf: enabled=yes, bindaddr, port, "
            f"and [{settings.user}] with `secret` and `read = agent`"
        )
        yield error(f"AMI does not let us in: {visit.ami}", remedy, where)


async def openness(visit: Visit) -> AsyncIterator[Finding]:
    """Who else can reach ARI and AMI?"""
    weak = visit.settings.ari.password.get_secret_value() in {*WELL_KNOWN, visit.settings.ari.username} - {""}
    if visit.asterisk_is_here:
        yield _reach("ARI", "http.conf", visit.ari_port, await _port(visit.ari_port), weak=weak)
        async for finding in _by_https(visit, weak=weak):
            yield finding
    else:
        yield await _by_console(visit, "ARI", "http show status", "http.conf")
    if weak:
        remedy = "set a long random one in ari.conf and in `ari.password_file`: openssl rand -base64 24"
        yield warning("the password of ARI is well known", remedy, "ari.conf")
    settings = visit.settings.ami
    if is_loopback(settings.host) and visit.asterisk_is_here:
        yield _reach("AMI", "manager.conf", settings.port, await _port(settings.port), weak=False)
    else:
        yield await _by_console(visit, "AMI", "manager show settings", "manager.conf")
    async for finding in _by_http(visit):
        yield finding


async def _by_https(visit: Visit, *, weak: bool) -> AsyncIterator[Finding]:
    """All that can be reached over HTTP can also be over HTTPS, by an address of its own."""
    with suppress(CannotTellError):
        served = _HTTPS.search(await visit.ask_console("http show status"))
        number = int(served["port"]) if served else visit.ari_port
        if number != visit.ari_port:
            found = await _port(number)
            yield _reach("ARI by HTTPS", "http.conf", number, found, weak=weak, key="tlsbindaddr")


async def _by_http(visit: Visit) -> AsyncIterator[Finding]:
    """AMI over HTTP is as open as ARI is, and asks for the same secrets as AMI does."""
    with suppress(CannotTellError):
        if re.search(r"Web Manager \(AMI/HTTP\):\s*Yes", await visit.ask_console("manager show settings")):
            what = "AMI can be used over HTTP, too, wherever ARI can be reached"
            yield note(
                what, "write `webenabled=no` in manager.conf, unless something needs it", "manager.conf"
            )


async def _port(number: int) -> Port:
    try:
        return await aside(lambda: port(number))
    except OSError as problem:
        raise CannotTellError(f"this machine does not show who listens ({problem})") from problem


def _reach(what: str, file: str, number: int, found: Port, *, weak: bool, key: str = "bindaddr") -> Finding:
    """Of a port of this machine."""
    where = f"port {number}"
    opened = [str(one.address) for one in found.listeners if one.is_open]
    if not found.listeners:
        return ok(f"nothing listens for {what} here", where)
    if not opened:
        return ok(f"{what} can be reached from this machine only", where)
    severity = error if weak else warning
    return severity(
        f"{what} listens on {' and '.join(opened)}, where others can reach it, unless a firewall is between",
        f"write `{key}=127.0.0.1` in {file}, then: asterisk -rx 'core reload'",
        where,
    )


_HTTPS = re.compile(r"HTTPS Server Enabled and Bound to \S*:(?P<port>[0-9]+)")
_BOUND = re.compile(r"(?:Bound to|TCP Bindaddress:|TLS Bindaddress:)\s*(?P<address>\[?[0-9a-fA-F.:]+\]?):\d+")


async def _by_console(visit: Visit, what: str, command: str, file: str) -> Finding:
    """Of an Asterisk elsewhere, which is there to be reached; but by everybody?"""
    try:
        shown = await visit.ask_console(command)
    except CannotTellError as why:
        remedy = "give --console 'ssh HOST asterisk -rx', or look at `bindaddr` there"
        return not_checked(f"who can reach {what}: {why}", remedy, file)
    bound = [match["address"].strip("[]") for match in _BOUND.finditer(shown)]
    everywhere = [one for one in bound if one in ("0.0.0.0", "::")]
    if everywhere:
        remedy = (
            f"write the address of an inner net as `bindaddr` in {file}, or have a firewall let only us in"
        )
        return warning(f"{what} listens on all addresses of its machine", remedy, file)
    return ok(f"{what} listens on {' and '.join(bound) or 'nothing'}", file)


async def sessions(visit: Visit) -> AsyncIterator[Finding]:
    """Will Asterisk's web server take our connections?"""
    file = visit.etc / "http.conf"
    if not visit.asterisk_is_here and not file.exists():
        raise CannotTellError(
            "`sessionlimit` of http.conf: Asterisk is elsewhere, and tells it by nothing but the file",
            "see that it is well above the number of websockets and browsers there, or give --etc FOLDER",
        )
    try:
        text = await aside(lambda: file.read_text(encoding="utf-8", errors="replace"))
    except OSError as problem:
        raise CannotTellError(
            f"`sessionlimit` of http.conf: {file} cannot be read ({problem.strerror})",
            "run doctor as a user who may read it, or give --etc FOLDER",
        ) from problem
    limit = session_limit(text)
    used = (await _port(visit.ari_port)).connections if visit.asterisk_is_here else 0
    for finding in _sessions(limit, used):
        yield Finding(finding.severity, finding.what, str(file), finding.remedy)


def _sessions(limit: int, used: int) -> Iterator[Finding]:
    remedy = "write `sessionlimit=1000` in http.conf, then: asterisk -rx 'core reload'"
    if limit < FEW_SESSIONS or used > limit * FULL:
        what = f"Asterisk's web server takes {limit} connections, and has {used}"
        yield warning(f"{what}; past that it closes new ones without a word, ours too", remedy)
    elif limit <= DEFAULT_SESSIONS:
        what = f"Asterisk's web server takes {limit} connections, websockets of browser phones included"
        yield note(f"{what}; {used} are open now", f"with browser phones: {remedy}")
    else:
        yield ok(f"Asterisk's web server takes {limit} connections; {used} are open now")


def session_limit(text: str) -> int:
    """`sessionlimit` of http.conf, or Asterisk's own default where it has none."""
    found = re.findall(r"(?mi)^\s*sessionlimit\s*=>?\s*(\d+)", text)
    return int(found[-1]) if found else DEFAULT_SESSIONS
