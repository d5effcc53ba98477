"""Mails, to the one server that takes them."""

import asyncio
import ssl
from functools import cache

import aiosmtplib

from router.edge.undelivered import RefusedError, UndeliveredError
from router.settings import Mail

LIMIT = 60.0
"""Seconds for one mail, all in all."""


async def send(mail: bytes, to: str, settings: Mail) -> None:
    """Hand a mail to the server. Raises UndeliveredError."""
    if not settings.host:
        raise UndeliveredError("no mail server; set `mail.host`")
    try:
        async with asyncio.timeout(LIMIT):
            secured = None if settings.tls == "none" else await asyncio.to_thread(_trusted)
            await aiosmtplib.send(
                mail,
                sender=settings.sender,
                recipients=[to],
                hostname=settings.host,
                port=settings.port,
                username=settings.username or None,
                password=settings.password or None,
                use_tls=settings.tls == "tls",
                start_tls=settings.tls == "starttls",
                tls_context=secured,
                timeout=LIMIT / 2,
            )
    except TimeoutError as error:
        raise UndeliveredError(f"{settings.host} has not taken it within {LIMIT:g} s") from error
    except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPDataError) as error:
        raise RefusedError(f"{settings.host}:{settings.port} refuses it for {to}: {error}") from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise UndeliveredError(f"{settings.host}:{settings.port}: {error or type(error).__name__}") from error


@cache
def _trusted() -> ssl.SSLContext:
    """Whom this machine trusts. Reading that takes tens of milliseconds, so once."""
    return ssl.create_default_context()
