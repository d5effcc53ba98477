"""What systemd is told of the router: that it is ready, that it stops and how long that may take, and again
and again that it lives. See sd_notify(3) and sd_watchdog_enabled(3).

systemd says in the environment where it listens, and whether it waits for signs of life. Where it has not
started us, nothing is told.
"""

import asyncio
import os
import socket

import structlog

log = structlog.get_logger()

SIGNS = 3
"""Signs of life in the time in which systemd waits for one."""


def ready() -> None:
    """Calls are taken, as soon as Asterisk is there."""
    _tell("READY=1", "STATUS=takes calls")


def stopping(limit: float) -> None:
    """It will be over in so many seconds, whatever limit systemd has by itself."""
    _tell(
        "STOPPING=1", "STATUS=lets waiting callers come to an end", f"EXTEND_TIMEOUT_USEC={limit * 1e6:.0f}"
    )


async def live_on() -> None:
    """Give signs of life until cancelled; at once over if nobody waits for them. They come from the event
    loop, so one that is stuck gives none, and systemd starts the router anew."""
    watched = _watched()
    while watched:
        _tell("WATCHDOG=1")
        await asyncio.sleep(watched / SIGNS)


def _watched() -> float:
    """Seconds that systemd waits for a sign of life of this very process; 0 if it does not."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    return int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6


def _tell(*lines: str) -> None:
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # a socket without a file
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.setblocking(False)
        try:
            told.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            log.warning("systemd is not told", error=str(error))
