"""`callrouter doctor`: is all well with the PBX and the set-up, and what is to be done?"""

import asyncio
import shlex
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import get_terminal_size
from typing import Annotated

import msgspec
import typer

from router.cli.options import FAILED, WRONG, Config, Json, Rules, prompts, read_settings, rules_file
from router.core.findings import Finding, Report, Severity, counted, is_well
from router.core.remarks import did_you_mean
from router.edge.doctor.checks import CHECKS, Check, examine
from router.edge.doctor.visit import Doctored

WIDEST = 120
NARROWEST = 60
"""Columns of text."""
MARKS = {
    Severity.ERROR: typer.colors.RED,
    Severity.WARNING: typer.colors.YELLOW,
    Severity.OK: typer.colors.GREEN,
}


class Row(msgspec.Struct):
    """One finding, for programs."""

    check: str
    severity: Severity
    what: str
    where: str
    remedy: str


Asked = Annotated[
    str | None,
    typer.Option(
        "--console",
        metavar="PROGRAM",
        help="How Asterisk's console is asked, as 'ssh pbx sudo asterisk -rx' does; else `asterisk -rx`, if "
        "Asterisk is on this machine.",
        show_default=False,
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Argument(metavar="[CHECK]...", help="Only these checks, as in `doctor dialplan phones`; else all."),
]
Contexts = Annotated[
    list[str] | None,
    typer.Option(
        "--context",
        metavar="NAME",
        help="A context of the dialplan in which calls come in; else that of the trunk's endpoint.",
        show_default=False,
    ),
]
Etc = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Asterisk's folder of configuration, where it can be read; else as its console says, or "
        "/etc/asterisk.",
        show_default=False,
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit status 1 for warnings, too.")]


def doctor(
    only: Only = None,
    rules: Rules = None,
    console: Asked = None,
    context: Contexts = None,
    etc: Etc = None,
    strict: Strict = False,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Check the PBX and the set-up, and say what to do about what is wrong. Nothing is changed by it.

    Exit status 0 if there is no error, 1 if there is one, 2 if the settings, or what was typed, cannot be
    used. What could not be asked is said, and is no error.
    """
    settings = read_settings(config)
    source = rules_file(settings, rules)
    of = Doctored(
        settings=settings,
        load=source.load,
        rules_folder=source.path,
        prompts=prompts(settings),
        console=_words(console),
        contexts=tuple(context or ()),
        etc=etc,
    )
    _tell(*_examined(of, _chosen(only or ())), strict=strict, as_json=as_json)


def _chosen(names: Sequence[str]) -> tuple[Check, ...]:
    known = {check.name: check for check in CHECKS}
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known, f"there are {', '.join(known)}")
            typer.echo(f"there is no check `{name}`; {hint}", err=True)
            raise typer.Exit(WRONG)
    return tuple(known[name] for name in names) or CHECKS


def _examined(of: Doctored, checks: tuple[Check, ...]) -> tuple[list[Report], float]:
    """What is found, and how many seconds that took."""
    begun = time.monotonic()
    return asyncio.run(examine(of, checks)), time.monotonic() - begun


def _tell(reports: list[Report], seconds: float, *, strict: bool, as_json: bool) -> None:
    if as_json:
        for report in reports:
            for finding in report.findings:
                row = Row(report.check, finding.severity, finding.what, finding.where, finding.remedy)
                typer.echo(msgspec.json.encode(row).decode())
    else:
        for line in _lines(reports):
            typer.echo(line)
        typer.echo(f"\n{counted(reports)}; {seconds:.1f} s")
    if not is_well(reports, strict=strict):
        raise typer.Exit(FAILED)


def _words(console: str | None) -> tuple[str, ...] | None:
    if console is None:
        return None
    try:
        words = tuple(shlex.split(console))
    except ValueError as error:
        words = ()
        typer.echo(f"--console: `{console}` cannot be read: {error}", err=True)
    if not words:
        typer.echo("--console: write a program, as in 'ssh pbx asterisk -rx'", err=True)
        raise typer.Exit(WRONG)
    return words


def _lines(reports: Sequence[Report]) -> Iterator[str]:
    """A table whose last column is folded, with the remedy below what is wrong."""
    checks = max(len(report.check) for report in reports)
    severities = max(map(len, Severity))
    width = max(min(get_terminal_size((WIDEST, 0)).columns, WIDEST) - checks - severities - 4, NARROWEST)
    for report in reports:
        for finding in report.findings:
            mark = typer.style(finding.severity.ljust(severities), fg=MARKS.get(finding.severity))
            texts = [*_folded(finding, width)]
            yield f"{mark}  {report.check:{checks}}  {texts[0]}"
            yield from (f"{'':{severities}}  {'':{checks}}  {text}" for text in texts[1:])


def _folded(finding: Finding, width: int) -> Iterator[str]:
    what = f"{finding.what} [{finding.where}]" if finding.where else finding.what
    yield from textwrap.wrap(what, width, break_long_words=False, break_on_hyphens=False) or [""]
    if finding.remedy:
        yield from textwrap.wrap(
            f"-> {finding.remedy}",
            width,
            subsequent_indent="   ",
            break_long_words=False,
            break_on_hyphens=False,
        )
