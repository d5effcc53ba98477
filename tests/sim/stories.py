"""What tests of whole calls say: how far a caller is, what happens meanwhile, and what is written down."""

from collections.abc import Callable

from router.core.record import CallRecord
from tests.sim.asterisk import FakeAsterisk
from tests.sim.channels import Channel
from tests.sim.phones import ANSWERS, RINGS_ON
from tests.sim.router import ONE, Router, until


def outcomes(record: CallRecord) -> dict[str, str]:
    """Who was rung, and what became of each."""
    return {attempt.target: attempt.outcome.value for attempt in record.attempts}


def told(record: CallRecord) -> tuple[str, str, str | None]:
    """What became of the call, why or where, and who ended it."""
    by = record.hung_up_by
    return record.disposition.value, record.reason or record.phase.value, by.value if by else None


async def talk(asterisk: FakeAsterisk, dialled: str = ONE) -> Channel:
    """A caller who talks with kari."""
    asterisk.phones["PJSIP/kari"] = ANSWERS
    caller = asterisk.call(dialled)
    await until(lambda: talking(asterisk), what="the talk")
    return caller


def talking(asterisk: FakeAsterisk) -> bool:
    """Two are in a bridge, and nothing will end that but themselves."""
    together = [bridge.members for bridge in asterisk.bridges.values() if len(bridge.members) == 2]
    people = [asterisk.channels[member] for members in together for member in members]
    return bool(people) and not any(person.waits_under_a_dead_man for person in people)


def hears(asterisk: FakeAsterisk) -> bool:
    return any(bridge.playing and bridge.members for bridge in asterisk.bridges.values())


def playing(asterisk: FakeAsterisk) -> list[str]:
    """The class of music in each bridge."""
    return [bridge.music for bridge in asterisk.bridges.values()]


def rings(*states: str) -> Callable[[FakeAsterisk], bool]:
    """True once the legs are in these states."""
    return lambda asterisk: [c.state for c in asterisk.channels.values() if c.originator] == [*states]


def caller_of(asterisk: FakeAsterisk) -> Channel:
    [caller] = [channel for channel in asterisk.channels.values() if not channel.originator]
    return caller


async def back(router: Router) -> None:
    """Until the router has lost Asterisk, found it again and knows how things stand."""
    before = router.asterisk.opened
    await until(lambda: router.asterisk.opened > before, what="the next connection")
    await router.in_touch()


async def waiting(
    asterisk: FakeAsterisk, router: Router, dialled: str, there: Callable[[FakeAsterisk], bool]
) -> Channel:
    """A caller who has come so far, as the router knows: nobody answers, and prompts are long."""
    asterisk.phones = dict.fromkeys(("PJSIP/kari", "PJSIP/ola", "PJSIP/anne"), RINGS_ON)
    asterisk.sounds = dict.fromkeys(asterisk.sounds, 30.0)
    caller = asterisk.call(dialled)
    await until(lambda: there(asterisk))
    ringing = sum(channel.state == "Ringing" for channel in asterisk.channels.values())
    await until(lambda: router.knows("LegRinging") == ringing)
    return caller


async def gone_and_back(router: Router, gap: str, meanwhile: Callable[[], object] = lambda: None) -> None:
    """A gap, in which something may happen."""
    if gap == "the router is killed":
        await router.die()
        meanwhile()
        await router.start()
    else:
        router.asterisk.away = True
        router.asterisk.drop()
        await until(lambda: not router.asterisk.connected)
        meanwhile()
        router.asterisk.away = False
        await back(router)
