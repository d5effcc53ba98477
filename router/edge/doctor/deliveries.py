"""Will messages, and what follow-ups send, come to those whom they are for?"""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiosmtplib

from router.core.findings import Finding, error, not_checked, ok, warning
from router.core.needs import deliveries
from router.core.remarks import RuleErrors
from router.edge.doctor.visit import Visit
from router.edge.webhook import is_public
from router.settings import Mail

LIMIT = 8.0
"""Seconds for the mail server to answer and to let us in."""


async def mail(visit: Visit) -> AsyncIterator[Finding]:
    """Does the server take mails from us?"""
    settings = visit.settings.mail
    if settings.host:
        yield await _let_in(settings)
    else:
        mailed = [] if isinstance(visit.loaded, RuleErrors) else deliveries(visit.loaded)
        place = next((place for delivery, place in mailed if delivery.mail), "")
        if place:
            what = "the rules have mails sent, and no mail server is set"
            yield error(what, "write `mail: {host: SMTP.SERVER}` in callrouter.yaml", place)
        else:
            yield ok("no mail server is set, and no rule wants one")
    if settings.host and settings.username and settings.tls == "none":
        what = "the password for the mail server crosses the net unencrypted"
        yield warning(what, "set `mail.tls: starttls`", settings.host)


async def _let_in(settings: Mail) -> Finding:
    """As far as a mail could be handed over."""
    where = f"{settings.host}:{settings.port}"
    client = aiosmtplib.SMTP(
        hostname=settings.host,
        port=settings.port,
        username=settings.username or None,
        password=settings.password or None,
        use_tls=settings.tls == "tls",
        start_tls=settings.tls == "starttls",
        timeout=LIMIT / 2,
    )
    try:
        async with asyncio.timeout(LIMIT), client:
            pass
    except TimeoutError:
        remedy = "see `mail.host` and `mail.port`, and whether a firewall is between"
        return error(f"the mail server has not answered within {LIMIT:g} s", remedy, where)
    except aiosmtplib.SMTPAuthenticationError as problem:
        remedy = "correct `mail.username` and the file of `mail.password_file`"
        return error(f"the mail server does not let us in: {problem}", remedy, where)
    except (aiosmtplib.SMTPException, OSError, ValueError) as problem:
        remedy = "see `mail.host`, `mail.port` and `mail.tls` in callrouter.yaml"
        return error(f"the mail server does not answer as it should: {problem}", remedy, where)
    how = "unencrypted" if settings.tls == "none" else settings.tls
    return ok(f"the mail server lets us in ({how})", where)


async def webhooks(visit: Visit) -> AsyncIterator[Finding]:
    """Can they be posted, and will who gets them know that they are ours? Nothing is posted."""
    urls = {delivery.webhook: place for delivery, place in deliveries(visit.rules) if delivery.webhook}
    settings = visit.settings.webhooks
    if not urls:
        yield ok("no rule has anything posted to other systems")
        return
    if not settings.secret:
        remedy = "openssl rand -hex 32 > /etc/callrouter/webhook.secret, and set `webhooks.secret_file` to it"
        yield warning("what is posted to webhooks is not signed", remedy)
    for url, place in urls.items():
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme != "https" and host not in settings.allow:
            remedy = f"write https://, or add {host} to `webhooks.allow`"
            yield error(f"{url} is never posted to: it is not https", remedy, place)
            continue
        try:
            async with asyncio.timeout(LIMIT):
                found = await asyncio.get_running_loop().getaddrinfo(host, parts.port or 443)
        except (OSError, UnicodeError) as problem:
            yield error(f"the host of a webhook is not found: {host} ({problem})", "correct its URL", place)
        except TimeoutError:
            yield not_checked(f"{host}: no name server has answered", "look at /etc/resolv.conf", place)
        else:
            if host in settings.allow or any(is_public(str(address[0])) for *_, address in found):
                yield ok(f"the host of a webhook is found: {host}", place)
            else:
                what = f"{url} is never posted to: {host} is within one's own net"
                yield error(what, f"add {host} to `webhooks.allow`", place)
