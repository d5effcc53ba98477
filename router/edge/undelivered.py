"""What could not be delivered."""

LONGEST = 300
"""Characters of a text that says why."""


class UndeliveredError(Exception):
    """Nobody took it; the text says why. It is tried again later.

    What others answer is part of the text, and may be anything: what is not printable is left out of it, also
    surrogates, for which no database and no log has a place.
    """

    def __init__(self, why: str) -> None:
        printable = "".join(one if one.isprintable() else " " for one in why)
        super().__init__(" ".join(printable.split())[:LONGEST])


class RefusedError(UndeliveredError):
    """Somebody was there, and did not want this one, or failed with it; another may be welcome."""
