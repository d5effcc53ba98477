"""How long to wait before the next attempt: exponential, jittered so that routers come back out of step."""

import random


class Backoff:
    """Delays in seconds between `first` and `most`; the ceiling doubles at each attempt.

    The delay is drawn over the whole range ("full jitter") but never below `first`, which bounds the
    attempts a second against an Asterisk that refuses at once.
    """

    def __init__(self, rng: random.Random, first: float = 0.1, most: float = 5.0) -> None:
        self._rng = rng
        self._first = first
        self._most = most
        self._attempts = 0

    def delay(self) -> float:
        self._attempts += 1
        ceiling = min(self._most, self._first * 2.0 ** min(self._attempts, 32))
        return self._rng.uniform(self._first, ceiling)

    def reset(self) -> None:
        self._attempts = 0
