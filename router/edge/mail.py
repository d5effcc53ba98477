"""Mails, to the one server that takes them."""

from email.message import EmailMessage

import aiosmtplib

from router.edge.undelivered import UndeliveredError
from router.settings import Mail

LIMIT = 30.0
"""Seconds for one mail."""


async def send(mail: EmailMessage, settings: Mail) -> None:
    """Hand a mail to the server. Raises UndeliveredError."""
    if not settings.host:
        raise UndeliveredError("no mail server; set `mail.host`")
    try:
        await aiosmtplib.send(
            mail,
            hostname=settings.host,
            port=settings.port,
            username=settings.username or None,
            password=settings.password or None,
            use_tls=settings.tls == "tls",
            start_tls=settings.tls == "starttls",
            timeout=LIMIT,
        )
    except (aiosmtplib.SMTPException, OSError) as error:
        raise UndeliveredError(f"{settings.host}:{settings.port}: {error or type(error).__name__}") from error
