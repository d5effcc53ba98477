"""The trace of a decision: what was looked at, in order, and what came of it."""

from typing import Literal

import msgspec

from router.core.conditions import Failure

Kind = Literal[
    "client",
    "allow",
    "block",
    "challenge",
    "shadow",
    "own number",
    "exception",
    "route",
    "person",
    "no route",
]


class TraceRow(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One thing that was looked at. It keeps parts, not sentences: explain.py makes the words."""

    kind: Kind
    name: str
    """Of the client, rule, route or person; empty where the row is on all of a kind."""
    place: str
    """`file:line`; empty where nothing is written."""
    matched: bool
    failed: tuple[Failure, ...] = ()
    """For what was passed over: the first condition that failed, of each alternative."""
    timezone: str = ""
    """The client's, in the client's row: a trace is read with the clock it was decided by."""
    entry: str = ""
    """Of a screening rule's numbers, the one that the caller is; of a command, why it was given."""
