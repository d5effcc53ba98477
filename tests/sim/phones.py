"""What phones do when they are called, and what goes wrong in Asterisk."""

from dataclasses import dataclass
from random import Random

NO_REPLY = -1
"""The status of a Fault that keeps the reply to itself."""


@dataclass(frozen=True)
class Phone:
    """What a phone does once dialled. Seconds count from the dialling; None: never."""

    rings: float | None = 0.01
    answers: float | None = None
    refuses: float | None = None
    cause: int = 17
    sip: int = 486
    hangs_up: float | None = None
    """So long after its answer."""


ANSWERS = Phone(answers=0.05)
ANSWERS_AT_ONCE = Phone(rings=None, answers=0.0)
RINGS_ON = Phone()
BUSY = Phone(rings=None, refuses=0.01)
DECLINES = Phone(refuses=0.03, cause=21, sip=603)
CONGESTED = Phone(rings=None, refuses=0.01, cause=34, sip=503)
SILENT = Phone(rings=None)


@dataclass
class Fault:
    """Something that goes wrong with requests that match, `times` often."""

    method: str
    path: str
    """A regular expression for the whole path."""
    status: int = 500
    """The refusal; NO_REPLY: it is carried out and never answered."""
    times: int = 1
    late: float = 0.0
    """Seconds before it is served, in which nothing else of this WebSocket is."""


def misfortune(random: Random) -> Fault:
    """A fault that Asterisk may have at any moment."""
    path = random.choice([r"channels/create", r"channels/.*/dial", r"channels/.*/answer", r"bridges/.*/play",
                          r"asterisk/variable", r"bridges", r"bridges/.*/addChannel"])  # fmt: skip
    if random.random() < 0.3:
        return Fault("POST", path, late=random.uniform(0.01, 0.1))
    return Fault("POST", path, random.choice([400, 409, 500, 503]))
