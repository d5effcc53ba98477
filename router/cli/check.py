"""`callrouter check`: all errors of the rules, each at its place, before anything is started."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from router.app import rules_file
from router.cli.options import FAILED, Config, Json, Rules, read_settings
from router.core.remarks import Remark, RuleErrors, RuleWarning
from router.core.ruleset import RuleSet
from router.edge.rulesfile import RulesFile


def print_remarks(remarks: Iterable[Remark]) -> None:
    """One line each to standard error, `file:line:col: what is wrong; what to write`."""
    for remark in remarks:
        kind = "warning: " if isinstance(remark, RuleWarning) else ""
        typer.echo(f"{kind}{remark}", err=True)


def load_rules(source: RulesFile) -> RuleSet:
    """The rules; ends the command with their errors, if they have some."""
    outcome = source.load()
    if isinstance(outcome, RuleErrors):
        print_remarks(outcome.errors)
        raise typer.Exit(FAILED)
    return outcome


def check(
    directory: Annotated[Path | None, typer.Argument(help="The same as --rules.", show_default=False)] = None,
    rules: Rules = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Check the rules, within what the settings allow to be dialled, without starting anything.

    Exit status 1 if the rules have an error, 2 if the settings cannot be used.
    """
    source = rules_file(read_settings(config), directory or rules)
    outcome = source.load()
    errors = outcome.errors if isinstance(outcome, RuleErrors) else ()
    warnings = () if isinstance(outcome, RuleErrors) else outcome.warnings
    if as_json:
        report = {"errors": errors, "warnings": warnings}
        typer.echo(msgspec.json.encode(report).decode())
    else:
        print_remarks((*errors, *warnings))
        if not isinstance(outcome, RuleErrors):
            numbers, clients = len(outcome.numbers), len(outcome.clients)
            counts = f"{clients} client(s), {numbers} number(s), {len(warnings)} warning(s)"
            typer.echo(f"{source.path}: {counts}; no errors")
    if errors:
        raise typer.Exit(FAILED)
