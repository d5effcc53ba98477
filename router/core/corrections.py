"""Corrections: somebody says that what became of a call is something else than its disposition.

A disposition is final, and what it was derived from stays with it; each correction is a row beside it.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from router.core.record import Disposition
from router.core.tags import Way


class Correction(msgspec.Struct, frozen=True):
    """What somebody says became of a call."""

    call_id: str
    disposition: Disposition
    why: str
    who: str
    """A user of the machine, or who they say it is by."""
    way: Way
    at: datetime
    place: str = ""
    """Who typed it at which machine (`root@pbx`)."""


def corrected(automatic: Disposition, corrections: Sequence[Correction]) -> Disposition | None:
    """What the latest of a call's corrections says, in order; None where nothing is said but what is so
    anyway."""
    said = corrections[-1].disposition if corrections else automatic
    return None if said is automatic else said
