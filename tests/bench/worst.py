"""What the worst file of 1 MB costs to load, alone: no Asterisk, no calls."""

from collections.abc import Callable

from tests.properties.loading import load_all


def measure(tell: Callable[[str], object]) -> dict[str, float]:
    """worst_file_s and worst_file_mb: the most CPU, and the most memory of the process, of all of them."""
    found = list(load_all(()))
    for one in found:
        assert not one.broken, f"{one.name}: {one.broken}"
    slowest = max(found, key=lambda one: one.seconds)
    largest = max(found, key=lambda one: one.mb)
    tell(f"slowest: {slowest.name}, {slowest.seconds:.2f} s; largest: {largest.name}, {largest.mb:.0f} MB")
    return {"worst_file_s": slowest.seconds, "worst_file_mb": largest.mb}
