"""What `callrouter doctor` finds: how bad it is, what it is, where, and what to do about it."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How bad it is, the worst first."""

    ERROR = "error"
    """Calls are lost or go wrong, or would once the router runs."""
    WARNING = "warning"
    """Calls go on, but something is probably not meant, or will not last."""
    NOTE = "note"
    """Worth knowing."""
    NOT_CHECKED = "not checked"
    """It could not be asked; the text says why."""
    OK = "ok"


class Finding(msgspec.Struct, frozen=True):
    """One finding."""

    severity: Severity
    what: str
    where: str = ""
    """A file and line, a host and port, a folder; empty where `what` says it."""
    remedy: str = ""
    """What to type or to edit; empty where nothing need be done."""


def error(what: str, remedy: str, where: str = "") -> Finding:
    return Finding(Severity.ERROR, what, where, remedy)


def warning(what: str, remedy: str, where: str = "") -> Finding:
    return Finding(Severity.WARNING, what, where, remedy)


def note(what: str, remedy: str = "", where: str = "") -> Finding:
    return Finding(Severity.NOTE, what, where, remedy)


def not_checked(what: str, remedy: str = "", where: str = "") -> Finding:
    return Finding(Severity.NOT_CHECKED, what, where, remedy)


def ok(what: str, where: str = "") -> Finding:
    return Finding(Severity.OK, what, where)


class Report(msgspec.Struct, frozen=True):
    """What one check found, in its order."""

    check: str
    findings: tuple[Finding, ...]


def is_well(reports: Iterable[Report], *, strict: bool = False) -> bool:
    """True if nothing is wrong; with `strict`, not even a warning is."""
    bad = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    return not any(finding.severity in bad for report in reports for finding in report.findings)


def counted(reports: Iterable[Report]) -> str:
    """`1 error, 2 warnings, 1 not checked, 20 ok`: how many there are of each that there is."""
    counts = Counter(finding.severity for report in reports for finding in report.findings)
    many = {Severity.ERROR: "errors", Severity.WARNING: "warnings", Severity.NOTE: "notes"}
    return ", ".join(
        f"{counts[severity]} {many.get(severity, severity) if counts[severity] > 1 else severity}"
        for severity in Severity
        if counts[severity]
    )


NAMED = 5
"""Things that are named one by one where there are many of a kind."""


def named(names: Iterable[str], most: int = NAMED) -> str:
    """`a, b, c and 12 more`."""
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
