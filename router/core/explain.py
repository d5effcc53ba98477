"""Renders a decision's trace as lines of text. Nothing is evaluated again: the words come from the trace
alone.
"""

from zoneinfo import ZoneInfo

import msgspec

from router.core.conditions import Failure
from router.core.decide import Decision
from router.core.plan import CallPlan
from router.core.record import CallInfo
from router.core.times import WEEKDAYS
from router.core.trace import TraceRow

_TRACE = msgspec.json.Decoder(tuple[TraceRow, ...])

_FOUND = {
    "open": "it is closed ({at})",
    "closed": "it is open ({at})",
    "caller": "the caller is {caller}",
    "dialled": "{dialled} was dialled",
    "between": "it is {date}",
    "variable": "the dialplan says otherwise",
    "queue": "other than so many wait",
    "agents": "other than so many are there",
    "not": "that holds",
    "numbers": "the caller {caller} is none of its numbers",
    "until": "it is {date}",
    "more_than": "the caller has called less often",
}
"""What was found instead, by the condition that failed."""
_FOUND_OF_SEVERAL = {"open": "all are closed ({at})", "closed": "all are open ({at})"}


_ROWS = {
    ("client", True): "client {name} has {dialled}",
    ("client", False): "no client has {dialled}",
    ("allow", True): "allow {name}: the caller {caller} is not screened",
    ("block", True): "block {name}: the caller {caller} is refused{entry}",
    ("challenge", True): "block {name}: the caller {caller} must press a key to go on{entry}",
    ("block", False): "block {name}: passed over; {failed}",
    ("shadow", True): "block {name}: in shadow, or the caller {caller} were refused{entry}",
    ("exception", True): "exception {name}: in force",
    ("exception", False): "exception {name}: passed over; {failed}",
    ("own number", True): "{dialled} is {name}'s own number",
    ("route", True): "route {name}: taken",
    ("route", False): "route {name}: passed over; {failed}",
    ("person", False): "person {name}: not rung; {failed}",
    ("no route", True): "no route took the call: last resort",
}
"""The words for a row, by its kind and whether it matched."""


def explain(decision: Decision) -> tuple[str, ...]:
    """One line for each row of the trace, its place first: `rules/fjord.yaml:12: route main: taken`."""
    local = decision.now.astimezone(ZoneInfo(decision.timezone))
    day = WEEKDAYS[local.weekday()].capitalize()
    words = {
        "at": f"{day} {local:%H:%M} {decision.timezone}",
        "date": f"{local:%Y-%m-%d %H:%M}",
        "caller": decision.caller,
        "dialled": decision.dialled,
    }
    return tuple(_line(row, words) for row in decision.trace)


def explain_stored(trace: bytes | None, info: CallInfo) -> tuple[str, ...]:
    """The same of a call that has been, by its stored trace (JSON); nothing where none is stored."""
    if trace is None:
        return ()
    try:
        rows = _TRACE.decode(trace)
    except msgspec.DecodeError:
        # Written by another version: shown as it is rather than not at all.
        return tuple(map(_as_it_is, msgspec.json.decode(trace, type=list[dict[str, object]])))
    return explain(
        Decision(
            plan=CallPlan(()),
            trace=rows,
            client=info.client,
            route=info.route,
            version=info.rules_version,
            now=info.arrived_at,
            timezone=next((row.timezone for row in rows if row.timezone), "UTC"),
            caller=info.caller or "anonymous",
            dialled=info.dialled,
        )
    )


def _as_it_is(row: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items() if value not in (None, "", []))


def _line(row: TraceRow, words: dict[str, str]) -> str:
    failed = "; ".join(_failure(failure, words) for failure in row.failed)
    entry = f" ({row.entry})" if row.entry else ""
    line = _ROWS[row.kind, row.matched].format(name=row.name, failed=failed, entry=entry, **words)
    return f"{row.place}: {line}" if row.place else line


def _failure(failure: Failure, words: dict[str, str]) -> str:
    found = _FOUND[failure.condition]
    if not failure.wanted:
        return found.format(**words)
    if len(failure.wanted) > 1:
        found = _FOUND_OF_SEVERAL.get(failure.condition, found)
    return f"{failure} \u2014 {found.format(**words)}"
