"""What could not be delivered."""


class UndeliveredError(Exception):
    """Nobody took it; the text says why. It is tried again later."""


class RefusedError(UndeliveredError):
    """Somebody was there, and did not want this one, or failed with it; another may be welcome."""
