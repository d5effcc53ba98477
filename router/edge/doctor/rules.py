"""Are the rules without fault? The same as `callrouter check` says, counted."""

from collections.abc import AsyncIterator

from router.core.asteriskqueues import not_followed
from router.core.findings import Finding, error, ok, warning
from router.core.remarks import Remark, RuleErrors
from router.edge.doctor.visit import Visit, aside
from router.edge.prompts import with_voices


async def rules(visit: Visit) -> AsyncIterator[Finding]:
    """Errors and warnings, the first of each in full."""
    folder = visit.of.rules_folder
    loaded = visit.loaded
    if not isinstance(loaded, RuleErrors):
        readable = loaded
        loaded = await aside(lambda: with_voices(readable, visit.of.prompts))
    if isinstance(loaded, RuleErrors):
        yield error(
            _many("error", loaded.errors), f"correct them: callrouter check {folder}", _place(loaded.errors)
        )
        return
    warnings = loaded.warnings + (() if visit.settings.ami.user else not_followed(loaded))
    clients, numbers = len(loaded.clients), len(loaded.numbers)
    yield ok(f"the rules have {clients} client(s) and {numbers} number(s), and no errors", str(folder))
    if warnings:
        yield warning(_many("warning", warnings), f"see all: callrouter check {folder}", _place(warnings))


def _many(kind: str, remarks: tuple[Remark, ...]) -> str:
    first = remarks[0]
    text = f"{first.what}; {first.instead}" if first.instead else first.what
    return f"the rules have {len(remarks)} {kind}{'s' * (len(remarks) > 1)}, the first: {text}"


def _place(remarks: tuple[Remark, ...]) -> str:
    first = remarks[0]
    return f"{first.file}:{first.line}" if first.line else first.file
