"""AMI as Asterisk 22 speaks it, over real TCP; what is asked is answered as a test says."""

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple

Headers = Mapping[str, str]


def block(headers: Headers) -> bytes:
    """One message."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode() + b"\r\n"


class Asked(NamedTuple):
    """An action, and the connection it came by."""

    action: dict[str, str]
    writer: asyncio.StreamWriter


class AmiServer:
    """One AMI. `asked` are all actions, in order; `queues` and `dialplan` what QueueStatus and ShowDialPlan
    list, and `commands` the actions that the user may."""

    def __init__(self, secret: str = "hush-hush") -> None:
        self.asked: list[dict[str, str]] = []
        self.queues: list[Headers] = []
        self.dialplan: list[Headers] = []
        self.commands = ["Ping", "QueueStatus"]
        self.mute: set[str] = set()
        """Actions that are not answered."""
        self.connections = 0
        self.port = 0
        self._secret = secret
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "AmiServer":
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Take connections, at the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """End all, and take none."""
        if self._server is not None:
            self._server.close()
        self.drop()
        await asyncio.sleep(0)

    def drop(self) -> None:
        """Reset all connections."""
        for writer in list(self._writers):
            writer.transport.abort()

    def tell(self, event: str, **headers: str) -> None:
        """An event, to all who are logged in."""
        self.send(block({"Event": event, "Privilege": "agent,all", **headers}))

    def send(self, data: bytes) -> None:
        """Bytes as they are."""
        for writer in self._writers:
            writer.write(data)

    def times(self, action: str) -> int:
        """How often an action was asked for."""
        return sum(one["Action"] == action for one in self.asked)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        action: dict[str, str] = {}
        try:
            while line := await reader.readline():
                name, is_, value = line.decode().rstrip("\r\n").partition(": ")
                if is_:
                    action[name] = value
                elif action:
                    self.asked.append(action)
                    self._answer(action, writer)
                    action = {}
        except ConnectionError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _answer(self, action: dict[str, str], writer: asyncio.StreamWriter) -> None:
        if action["Action"] in self.mute:
            return
        id_ = {"ActionID": action["ActionID"]}
        answers: dict[str, Callable[[], list[Headers]]] = {
            "Login": lambda: [self._logged_in(action)],
            "Ping": lambda: [{"Response": "Success", "Ping": "Pong"}],
            "QueueStatus": lambda: [
                {"Response": "Success", "EventList": "start", "Message": "Queue status will follow"},
                *self.queues,
                {"Event": "QueueStatusComplete", "EventList": "Complete", "ListItems": str(len(self.queues))},
            ],
            "ListCommands": lambda: [{"Response": "Success", **dict.fromkeys(self.commands, "as it says")}],
            "ShowDialPlan": lambda: [
                {"Response": "Success", "EventList": "start", "Message": "DialPlan list will follow"},
                *({"Event": "ListDialplan", **row} for row in self.dialplan),
                {"Event": "ShowDialPlanComplete", "EventList": "Complete"},
            ],
        }
        for headers in answers[action["Action"]]():
            writer.write(block({**headers, **id_}))

    def _logged_in(self, action: dict[str, str]) -> Headers:
        if action["Secret"] == self._secret:
            return {"Response": "Success", "Message": "Authentication accepted"}
        return {"Response": "Error", "Message": "Authentication failed"}
