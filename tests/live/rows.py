"""Rows of calls, each with its own number, route and phones, several placed at a time."""

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from router.core.record import AttemptOutcome, CallRecord, Disposition, Party, Phase
from router.edge.store.queries import CallStory
from tests.harness.ports import free_port
from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox
from tests.harness.sipp import TO_THE_MILLISECOND, Callee, Caller, Deaf, Ended, Move, register

ROWS_AT_A_TIME = 12
"""More would start at once than a slow machine carries, and the pauses of the rows would not hold."""


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
    exact: bool = False
    """Its pauses count to the millisecond, which takes a part of a core: no two such rows at a time."""

    @property
    def sipp_options(self) -> tuple[str, ...]:
        """All further options of SIPp."""
        return (*self.options, *TO_THE_MILLISECOND) if self.exact else self.options


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
        self._ports = {row.name: [free_port() for _ in row.phones] for row in rows}

    def routes(self) -> str:
        """The routes of the rows, as YAML (which JSON strings are)."""
        return "".join(self._route(row) for row in self.rows if not row.dialled)

    def _route(self, row: Row) -> str:
        do = row.do
        for number, phone in enumerate(self.phones[row.name]):
            do = do.replace(f"P{number}", phone.endpoint)
        name, did = json.dumps(row.name), json.dumps(self.dids[row.name])
        return f"  - {{name: {name}, when: {{dialled: {did}}}, do: {do}}}\n"

    def play(self, router: RouterProcess) -> dict[str, Came]:
        """Place the calls of all rows, and wait for what comes of each."""
        contacts = [
            (phone, port)
            for row in self.rows
            for moves, phone, port in zip(
                row.phones, self.phones[row.name], self._ports[row.name], strict=True
            )
            if moves is not NoPhone.OFFLINE
        ]
        if contacts:
            register(self.sandbox, contacts)
        with ThreadPoolExecutor(ROWS_AT_A_TIME) as many, ThreadPoolExecutor(1) as alone:
            playing = {row.name: (alone if row.exact else many).submit(self._play, row) for row in self.rows}
        ends = {name: ended.result() for name, ended in playing.items()}
        stories = _settled(router)
        came = {}
        for name, did in self.dids.items():
            of_row = [story for story in stories if story.info.dialled == did]
            records = tuple(story.record for story in of_row if story.record)
            came[name] = Came(records, len(of_row) - len(records), *ends[name])
        return came

    def _play(self, row: Row) -> tuple[Ended, tuple[Ended | tuple[str, ...], ...]]:
        """The calls of one row: how the caller ended, and the phones."""
        ports = self._ports[row.name]
        keys = {f"phone{number}": port for number, port in enumerate(ports)}
        with ExitStack() as stack:
            phones = [
                Deaf(port) if isinstance(moves, NoPhone) else _phone(row, moves, port, keys)
                for moves, port in zip(row.phones, ports, strict=True)
            ]
            if row.trunk:
                phones.append(_phone(row, row.trunk, self.sandbox.trunk_port, {}))
            for phone in phones:
                stack.callback(phone.stop)
            for phone in phones:
                if isinstance(phone, Callee):
                    phone.listening()
            caller = Caller(
                self.sandbox,
                self.dids[row.name],
                *row.caller,
                user=row.user,
                calls=row.calls,
                options=row.sipp_options,
            )
            stack.callback(caller.stop)
            return caller.wait(), tuple(map(_fate, phones))


def _phone(row: Row, moves: tuple[Move, ...], port: int, keys: Mapping[str, object]) -> Callee:
    return Callee(*moves, calls=row.calls, port=port, keys=keys, limit=90, options=row.sipp_options)


def _settled(router: RouterProcess) -> list[CallStory]:
    """The stories of all calls, once each has its record or ten seconds have passed."""
    until = time.monotonic() + 10
    stories = router.stories()
    while any(story.record is None for story in stories) and time.monotonic() < until:
        time.sleep(0.2)
        stories = router.stories()
    return stories


def _fate(phone: Callee | Deaf) -> Ended | tuple[str, ...]:
    if isinstance(phone, Deaf):
        return tuple(phone.heard())
    try:
        return phone.wait(5)
    except subprocess.TimeoutExpired:
        return Ended(-1, "still in a call, or never called")
