"""Channels and bridges as FakeAsterisk has them."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from tests.edge.ari_server import Json


def stamp() -> str:
    """This moment, as Asterisk writes it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "+0000"


class HangUp(Protocol):
    """Ends a channel for its far end."""

    def __call__(self, channel: "Channel", cause: int, sip: int) -> None: ...


class Channel:
    """One channel; a caller's, where the test placed it."""

    def __init__(self, hang_up: HangUp, id: str, name: str, state: str) -> None:
        self.id, self.name, self.state = id, name, state
        self.created = stamp()
        self.caller = self.connected = ""
        self.context, self.exten = "trunk", "s"
        self.app_name = self.app_data = ""
        self.app: str | None = None
        """The application that it is in."""
        self.heard: list[str] = []
        """Media played to it to the end."""
        self.ended: tuple[int, int] | None = None
        """Q.850 cause and SIP status of its end."""
        self.dialled = self.ready = False
        self.originator = ""
        self.spied = ""
        """Of a snoop: the channel that it is on,"""
        self.whispers = ""
        """and where what is said to it goes."""
        self.variables: dict[str, str] = {}
        self.dead_man_set = 0  # how often
        self._hang_up = hang_up
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def later(self, name: str, seconds: float, act: Callable[[], None]) -> None:
        """Have something happen to this channel, unless it has gone by then."""
        self.forget(name)
        self._timers[name] = asyncio.get_running_loop().call_later(seconds, act)

    def forget(self, name: str | None = None) -> None:
        """Stop one of its timers, or all."""
        for key in list(self._timers) if name is None else [name]:
            if timer := self._timers.pop(key, None):
                timer.cancel()

    @property
    def dial(self) -> str:
        """The dial string of the phone."""
        return self.name.rpartition("-")[0]

    @property
    def waits_under_a_dead_man(self) -> bool:
        return "dead man" in self._timers

    def hang_up(self, cause: int = 16, sip: int = 200) -> None:
        """The far end leaves: BYE, or CANCEL from a caller who is not answered."""
        if self.state != "Up" and not self.originator:
            cause, sip = 127, 487
        self._hang_up(self, cause, sip)

    def as_json(self) -> Json:
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "protocol_id": "call@127.0.0.1",
            "caller": {"name": "", "number": self.caller},
            "connected": {"name": "", "number": self.connected},
            "accountcode": "",
            "dialplan": {
                "context": self.context,
                "exten": self.exten,
                "priority": 1,
                "app_name": self.app_name,
                "app_data": self.app_data,
            },
            "creationtime": self.created,
            "language": "en",
        }


class Bridge:
    """One bridge, and what is played in it: playback id -> media, of which the first one sounds."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.created = stamp()
        self.members: set[str] = set()
        self.playing: dict[str, str] = {}
        self.music = ""
        """The class that plays."""
        self.timer: asyncio.TimerHandle | None = None

    def as_json(self) -> Json:
        return {
            "id": self.id,
            "technology": "simple_bridge",
            "bridge_type": "mixing",
            "bridge_class": "stasis",
            "creator": "Stasis",
            "name": "",
            "channels": sorted(self.members),
            "creationtime": self.created,
        }

    def playback(self, id: str, state: str) -> Json:
        return {
            "id": id,
            "media_uri": self.playing[id],
            "target_uri": f"bridge:{self.id}",
            "state": state,
        }
