"""Lengths of time in the rules, each within the bounds of its use (reading.py)."""

from router.core import times
from router.core.reading import text_of
from router.core.times import Duration

DAY = 24 * 3600
"""Seconds."""
LONGEST_RING = Duration(10 * 60)
"""A round of ringing may not be longer."""
LONGEST_MESSAGE = Duration(30 * 60)
LONGEST_WAITING = Duration(2 * 60 * 60)
"""A caller may not wait in a queue for longer."""


def read_duration(value: object) -> Duration:
    return Duration.parse(text_of(value))


def read_ring_for(value: object) -> Duration:
    """Time to ring: as in `25s` or `1m30s`, from 1s to 10m."""
    duration = read_duration(value)
    if not Duration(0) < duration <= LONGEST_RING:
        raise ValueError(f"`{value}` is no time to ring; write 1s to {LONGEST_RING}")
    return duration


def read_wait_for(value: object) -> Duration:
    """Time to wait: as in `5m` or `1m30s`, from 1s to 2h."""
    duration = read_duration(value)
    if not Duration(0) < duration <= LONGEST_WAITING:
        raise ValueError(f"`{value}` is no time to wait; write 1s to {LONGEST_WAITING}")
    return duration


def read_callback_within(value: object) -> Duration:
    """Time to call back: as in `4h`, from 1m to 7d."""
    duration = read_duration(value)
    if not Duration(60) <= duration <= Duration(7 * DAY):
        raise ValueError(f"`{value}` is no time to call back; write 1m to 7d")
    return duration


def read_interval(value: object) -> Duration:
    """Interval: as in `45s`, from 10s to 1h."""
    duration = read_duration(value)
    if not Duration(10) <= duration <= Duration(3600):
        raise ValueError(f"`{value}` is no interval; write 10s to 1h")
    return duration


def read_pause(value: object) -> Duration:
    """Pause: as in `20s`, at most 1h; `0s` is none."""
    duration = read_duration(value)
    if duration > Duration(3600):
        raise ValueError(f"`{value}` is too long a pause; write at most 1h")
    return duration


def read_keep(value: object) -> Duration:
    """Time to keep: as in `90d`, from 1d to 3650d, whole days."""
    duration = read_duration(value)
    if not Duration(DAY) <= duration <= Duration(3650 * DAY) or duration.seconds % DAY:
        raise ValueError(f"`{value}` is no time to keep; write 1d to 3650d")
    return duration


def read_call_back_within(value: object) -> Duration:
    """Time to call back in: as in `2h`, from 1m to 90d."""
    duration = read_duration(value)
    if not Duration(60) <= duration <= Duration(90 * DAY):
        raise ValueError(f"`{value}` is no time to call back in; write 1m to 90d")
    return duration


def read_do_not_contact(value: object) -> Duration:
    """Time not to be called: as in `90d`, from 1h to 3650d."""
    duration = read_duration(value)
    if not Duration(3600) <= duration <= Duration(3650 * DAY):
        raise ValueError(f"`{value}` is no time not to be called; write 1h to 3650d")
    return duration


def read_message_length(value: object) -> Duration:
    """Length of a message: as in `3m`, from 1s to 30m."""
    duration = read_duration(value)
    if not Duration(0) < duration <= LONGEST_MESSAGE:
        raise ValueError(f"`{value}` is no length of a message; write 1s to {LONGEST_MESSAGE}")
    return duration


LOOKS = {
    read_interval: times.LOOKS[Duration.parse],
    read_pause: times.LOOKS[Duration.parse],
    read_keep: times.LOOKS[Duration.parse],
    read_call_back_within: times.LOOKS[Duration.parse],
    read_do_not_contact: times.LOOKS[Duration.parse],
    read_message_length: times.LOOKS[Duration.parse],
    read_ring_for: times.LOOKS[Duration.parse],
    read_callback_within: times.LOOKS[Duration.parse],
    read_wait_for: times.LOOKS[Duration.parse],
}
"""As in reading.py, for the readers here."""
