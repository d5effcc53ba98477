"""Waiting for something to become true, with a limit."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], what: str, within: float = 10.0) -> float:
    """Seconds until `condition` held; AssertionError naming `what` if it does not hold `within` that many."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > within:
            raise AssertionError(f"not within {within:g} s: {what}")
        time.sleep(0.05)
    return time.monotonic() - begun
