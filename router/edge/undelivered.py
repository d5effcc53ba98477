"""What could not be delivered."""


class UndeliveredError(Exception):
    """Nobody took it; the text says why. It is tried again later."""
