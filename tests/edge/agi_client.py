"""The AGI side of Asterisk 22, over a real socket: variables first, then every command gets its reply."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress

PLAIN = {
    "agi_network": "yes",
    "agi_network_script": "route",
    "agi_request": "agi://127.0.0.1:4573/route",
    "agi_channel": "PJSIP/trunk-00000000",
    "agi_language": "en",
    "agi_type": "PJSIP",
    "agi_uniqueid": "1795806340.0",
    "agi_version": "22.10.1",
    "agi_callerid": "+4790000009",
    "agi_calleridname": "unknown",
    "agi_callingpres": "0",
    "agi_callingani2": "0",
    "agi_callington": "0",
    "agi_callingtns": "0",
    "agi_dnid": "+4722334455",
    "agi_rdnis": "unknown",
    "agi_context": "from-trunk",
    "agi_extension": "+4722334455",
    "agi_priority": "2",
    "agi_enhanced": "0.0",
    "agi_accountcode": "",
    "agi_threadid": "139824219010752",
}
"""As Asterisk 22.10.1 sends them."""

_GET = re.compile(r'GET FULL VARIABLE "([^"]*)"')
_SET = re.compile(r'SET VARIABLE (\w+) "((?:[^"\\]|\\.)*)"')


def request(values: Mapping[str, str] = PLAIN) -> bytes:
    """The lines, and the empty one after them."""
    return "".join(f"{name}: {value}\n" for name, value in values.items()).encode() + b"\n"


class AgiClient:
    """One channel in AGI(). `variables` are its variables, before and after."""

    def __init__(self, port: int, variables: Mapping[str, str] = {}) -> None:
        self._port = port
        self.variables = {"CALLROUTER_VARIABLES": "", **variables}
        self.commands: list[str] = []
        self.hangs_up_after: int | None = None
        """So many commands."""
        self.refuses: set[str] = set()
        """Variables that cannot be set."""

    async def ask(self, values: Mapping[str, str] = PLAIN, within: float = 5.0) -> None:
        """Ask, and do what is commanded until the connection is closed."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            async with asyncio.timeout(within):
                writer.write(request(values))
                while line := await reader.readline():
                    self.commands.append(line.decode().removesuffix("\n"))
                    if len(self.commands) == self.hangs_up_after:
                        writer.write(b"HANGUP\n")
                        continue
                    writer.write(self._reply(self.commands[-1]))
        except ConnectionError:
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def _reply(self, command: str) -> bytes:
        if found := _GET.fullmatch(command):
            text = re.sub(r"\$\{(\w+)\}", lambda name: self.variables.get(name[1], ""), found[1])
            return f"200 result=1 ({text})\n".encode()
        if (found := _SET.fullmatch(command)) and found[1] not in self.refuses:
            self.variables[found[1]] = re.sub(r"\\(.)", r"\1", found[2])
            return b"200 result=1\n"
        return b"510 Invalid or unknown command\n"
