"""Asterisk's console, asked by a program: `asterisk -rx COMMAND`, here or by ssh."""

import asyncio
import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

LIMIT = 5.0
"""Seconds in which a command must be answered."""
HERE = ("asterisk", "-rx")


class ConsoleError(Exception):
    """It does not answer; the text says why."""


class Console:
    """The console by one program, behind whose words a command of Asterisk's is put as one more."""

    def __init__(self, program: Sequence[str]) -> None:
        self._program = tuple(program)

    def __str__(self) -> str:
        return shlex.join(self._program)

    async def ask(self, command: str) -> str:
        """What it prints. Raises ConsoleError."""
        # What ssh is given it puts together with spaces, for a shell over there.
        by_ssh = any(Path(word).name == "ssh" for word in self._program)
        try:
            process = await asyncio.create_subprocess_exec(
                *self._program,
                shlex.quote(command) if by_ssh else command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise ConsoleError(f"`{self._program[0]}` cannot be run here ({error.strerror})") from error
        try:
            async with asyncio.timeout(LIMIT):
                printed, complained = await process.communicate()
        except TimeoutError:
            raise ConsoleError(f"`{self}` has not answered within {LIMIT:g} s") from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode:
            said = (complained or printed).decode(errors="replace").strip().splitlines()
            raise ConsoleError(f"`{self}` says: {said[-1] if said else f'exit status {process.returncode}'}")
        return printed.decode(errors="replace")
