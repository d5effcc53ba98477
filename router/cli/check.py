"""`callrouter check`: all errors of the rules, each at its place, before anything is started."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from router.app import rules_file
from router.core.remarks import Remark, RuleErrors, RuleWarning
from router.settings import WrongSettingsError, load


def print_remarks(remarks: Iterable[Remark]) -> None:
    """One line each to standard error, `file:line:col: what is wrong; what to write`."""
    for remark in remarks:
        kind = "warning: " if isinstance(remark, RuleWarning) else ""
        typer.echo(f"{kind}{remark}", err=True)


def check(
    directory: Annotated[Path | None, typer.Argument(help="Directory with the rules, or one file.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file; it bounds what may be dialled.")] = None,
    rules: Annotated[Path | None, typer.Option(help="The same as the argument.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One object, for programs.")] = False,
) -> None:
    """Check the rules without starting anything. Exit status 1 if there is an error."""
    try:
        settings = load(config)
    except WrongSettingsError as error:
        print_remarks(error.problems)
        raise typer.Exit(1) from None
    source = rules_file(settings, directory or rules)
    outcome = source.load()
    errors = outcome.errors if isinstance(outcome, RuleErrors) else ()
    warnings = () if isinstance(outcome, RuleErrors) else outcome.warnings
    if as_json:
        report = {"errors": errors, "warnings": warnings}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n")
    else:
        print_remarks((*errors, *warnings))
        if not isinstance(outcome, RuleErrors):
            numbers, clients = len(outcome.numbers), len(outcome.clients)
            counts = f"{clients} client(s), {numbers} number(s), {len(warnings)} warning(s)"
            typer.echo(f"{source.path}: {counts}; no errors")
    if errors:
        raise typer.Exit(1)
