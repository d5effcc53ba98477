"""Rows of calls: each with its own number, route and phones, and all of them placed at the same time."""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, TypeVar

from router.core.record import AttemptOutcome, CallRecord, Disposition, Party, Phase
from tests.harness.router import RouterProcess, free_port
from tests.harness.sandbox import Sandbox
from tests.harness.sipp import Callee, Caller, Deaf, Ended, Move, register

_Thing = TypeVar("_Thing", Caller, Callee, Deaf, Callee | Deaf)


class NoPhone(Enum):
    """What may stand in the place of a phone."""

    OFFLINE = "offline"
    """an account that nothing is registered for"""
    SILENT = "silent"
    """a host that never answers"""
    NEVER_CALLED = "never called"
    """registered; not one packet may come there"""


class Result(NamedTuple):
    """What a record must say of a call."""

    disposition: Disposition
    reason: str
    hung_up_by: Party | None
    phase: Phase


class Tried(NamedTuple):
    """What a record must say of one attempt. The cause is Q.850; 0 and 0: there was no channel."""

    outcome: AttemptOutcome
    reason: str
    cause: int
    tech_cause: int


class Seen(NamedTuple):
    """One observation that must be in the evidence."""

    what: str
    leg: int
    cause: int = 0
    tech_cause: int = 0
    soft: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """One call, or several of the same kind."""

    name: str
    caller: tuple[Move, ...]
    result: Result | None
    """None: Asterisk itself refuses the call, and there is no record."""
    do: str = "[]"
    """The steps of its route as YAML; P0, P1 ... stand for its phones."""
    phones: tuple[tuple[Move, ...] | NoPhone, ...] = ()
    """[phone0], [phone1] ... in the moves stand for their ports."""
    trunk: tuple[Move, ...] = ()
    """How the far end of the trunk takes a call."""
    tried: tuple[Tried, ...] = ()
    evidence: tuple[Seen, ...] = ()
    flags: tuple[str, ...] = ()
    user: str = "+4790000009"
    """The caller's number."""
    dialled: str = ""
    """Another number than the row's own."""
    calls: int = 1
    options: tuple[str, ...] = ()
    """Further options of SIPp, for the caller and the phones."""


class Came(NamedTuple):
    """What came of a row."""

    records: tuple[CallRecord, ...]
    unfinished: int
    """Calls without a record."""
    caller: Ended
    phones: tuple[Ended | tuple[str, ...], ...]
    """In the order of the row's phones, the trunk's last; of a host without a phone, what it heard."""


class Stage:
    """Rows on one sandbox: who has which number and phone."""

    def __init__(self, sandbox: Sandbox, rows: Sequence[Row]) -> None:
        self.sandbox = sandbox
        self.rows = rows
        self.dids = {row.name: row.dialled or f"+472200{at:04}" for at, row in enumerate(rows)}
        phones = iter(sandbox.phones)
        self.phones = {row.name: [next(phones) for _ in row.phones] for row in rows}

    def routes(self) -> str:
        """The routes of the rows, as YAML (which JSON strings are)."""
        return "".join(self._route(row) for row in self.rows if not row.dialled)

    def _route(self, row: Row) -> str:
        do = row.do
        for number, phone in enumerate(self.phones[row.name]):
            do = do.replace(f"P{number}", phone.endpoint)
        name, did = json.dumps(row.name), json.dumps(self.dids[row.name])
        return f"  - {{name: {name}, when: {{dialled: {did}}}, do: {do}}}\n"

    @contextmanager
    def calling(self) -> Iterator["_Calling"]:
        """Place the calls of all rows."""
        with ExitStack() as stack:
            calling = _Calling(self, stack)
            calling.begin()
            yield calling


class _Calling:
    def __init__(self, stage: Stage, stack: ExitStack) -> None:
        self._stage = stage
        self._stack = stack
        self._phones: dict[str, list[Callee | Deaf]] = {}
        self._callers: dict[str, Caller] = {}

    def begin(self) -> None:
        contacts = []
        for row in self._stage.rows:
            ports = [free_port() for _ in row.phones]
            keys = {f"phone{number}": port for number, port in enumerate(ports)}
            self._phones[row.name] = [
                self._kept(Deaf(port) if isinstance(moves, NoPhone) else self._phone(row, moves, port, keys))
                for moves, port in zip(row.phones, ports, strict=True)
            ]
            accounts = zip(row.phones, self._stage.phones[row.name], ports, strict=True)
            contacts += [(phone, port) for moves, phone, port in accounts if moves is not NoPhone.OFFLINE]
            if row.trunk:
                callee = self._phone(row, row.trunk, self._stage.sandbox.trunk_port, {})
                self._phones[row.name].append(self._kept(callee))
        for phones in self._phones.values():
            for phone in phones:
                if isinstance(phone, Callee):
                    phone.listening()
        if contacts:
            register(self._stage.sandbox, contacts)
        for row in self._stage.rows:
            did = self._stage.dids[row.name]
            caller = Caller(
                self._stage.sandbox, did, *row.caller, user=row.user, calls=row.calls, options=row.options
            )
            self._callers[row.name] = self._kept(caller)

    @staticmethod
    def _phone(row: Row, moves: tuple[Move, ...], port: int, keys: Mapping[str, object]) -> Callee:
        return Callee(*moves, calls=row.calls, port=port, keys=keys, limit=90, options=row.options)

    def _kept(self, thing: _Thing) -> _Thing:
        self._stack.callback(thing.stop)
        return thing

    def ended(self, router: RouterProcess) -> dict[str, Came]:
        """What came of every row, once all callers are done."""
        callers = {name: caller.wait() for name, caller in self._callers.items()}
        phones = {name: tuple(map(_fate, phones)) for name, phones in self._phones.items()}
        until = time.monotonic() + 10
        stories = router.stories()
        while any(story.record is None for story in stories) and time.monotonic() < until:
            time.sleep(0.2)
            stories = router.stories()
        came = {}
        for name, did in self._stage.dids.items():
            of_row = [story for story in stories if story.info.dialled == did]
            records = tuple(story.record for story in of_row if story.record)
            came[name] = Came(records, len(of_row) - len(records), callers[name], phones[name])
        return came


def _fate(phone: Callee | Deaf) -> Ended | tuple[str, ...]:
    if isinstance(phone, Deaf):
        return tuple(phone.heard())
    try:
        return phone.wait(5)
    except subprocess.TimeoutExpired:
        return Ended(-1, "still in a call, or never called")
