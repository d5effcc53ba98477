"""A sandbox with its router, and parties that hear and press keys."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from router.core.plan import Speak
from router.core.record import CallRecord
from tests.harness.media import Media
from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox
from tests.harness.sipp import Callee, Caller, Move, register


def keys_pressed(record: CallRecord) -> str:
    """What the caller pressed, as far as somebody asked."""
    return "".join(seen.detail for seen in record.evidence if seen.what == "key_pressed")


class Room:
    """A sandbox with its router, and the parties of one test."""

    def __init__(self, sandbox: Sandbox, router: RouterProcess, stack: ExitStack) -> None:
        self.sandbox = sandbox
        self.router = router
        self._stack = stack

    def at_end(self, call: Callable[[], object]) -> None:
        """Call this when the test is over, however it ends."""
        self._stack.callback(call)

    def prompt(self, text: str | Speak) -> Path:
        """The file of a prompt."""
        return self.sandbox.prompt(Speak(text, "nb") if isinstance(text, str) else text)

    def next_record(self, did: str) -> int:
        """Which record the next call to a number makes."""
        return len([story for story in self.router.stories() if story.info.dialled == did]) + 1

    def media(self) -> Media:
        media = Media()
        self._stack.callback(media.close)
        return media

    def calls(self, did: str, *moves: Move, user: str = "+4790000009") -> Media:
        """Somebody calls, and hears."""
        media = self.media()
        caller = Caller(self.sandbox, did, *moves, user=user, keys={"ear": media.port})
        self._stack.callback(caller.stop)
        return media

    def phone(self, *moves: Move, port: int | None = None, options: Sequence[str] = ()) -> Media:
        """A phone for one call, the softphone P0 or at `port`."""
        media = self.media()
        phone = Callee(*moves, port=port, calls=1, keys={"ear": media.port}, options=options)
        self._stack.callback(phone.stop)
        phone.listening()
        if port is None:
            register(self.sandbox, [(self.sandbox.phones[0], phone.port)])
        return media

    def record(self, did: str, count: int) -> CallRecord:
        """The latest of so many records of calls to a number."""
        return self.router.records(did, within=15, count=count)[0]
