"""What the worst file of 1 MB costs to load, alone: no Asterisk, no calls."""

from collections.abc import Callable

from tests.properties.loading import load_all

AGAIN = 6
"""So many of the slowest are loaded again,"""
TIMES = 3
"""so often; the best of each counts, as of all that is timed on a machine whose speed drifts."""


def measure(tell: Callable[[str], object]) -> dict[str, float]:
    """worst_file_s and worst_file_mb: the most CPU, and the most memory of the process, of all of them."""
    found = list(load_all(()))
    for one in found:
        assert not one.broken, f"{one.name}: {one.broken}"
    slow = sorted(found, key=lambda one: -one.seconds)[:AGAIN]
    seconds = {one.name: one.seconds for one in slow}
    for _ in range(TIMES):
        for one in load_all(seconds):
            seconds[one.name] = min(seconds[one.name], one.seconds)
    slowest = max(seconds, key=seconds.__getitem__)
    largest = max(found, key=lambda one: one.mb)
    tell(f"slowest: {slowest}, {seconds[slowest]:.2f} s; largest: {largest.name}, {largest.mb:.0f} MB")
    return {"worst_file_s": seconds[slowest], "worst_file_mb": largest.mb}
