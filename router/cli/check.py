"""`callrouter check`: all errors of the rules, each at its place, before anything is started."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from router.cli.options import (
    FAILED,
    WRONG,
    Config,
    Json,
    Rules,
    prompts,
    read_settings,
    rules_file,
    unmet,
)
from router.core.counterexamples import proof_as_scenarios
from router.core.proof import QUICK, Proof, prove
from router.core.remarks import Remark, RuleErrors, RuleWarning
from router.core.ruleset import RuleSet
from router.edge.prompts import with_voices
from router.edge.rulesfile import SCENARIOS, RulesFile


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
    print_missing(outcome)
    return outcome


def print_missing(rules: RuleSet) -> None:
    """The calendars of the web that hours do without: what is told of such hours is not what it will be."""
    feeds = (feed for client in rules.clients.values() for feed in client.feeds)
    print_remarks(feed.missing for feed in feeds if feed.missing)


def check(
    directory: Annotated[Path | None, typer.Argument(help="The same as --rules.", show_default=False)] = None,
    rules: Rules = None,
    proved: Annotated[
        bool, typer.Option("--prove", help="Look at every call there can be, however long that takes.")
    ] = False,
    write_test: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write calls that come to harm as tests, NAME.test.yaml."),
    ] = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Check the rules, within what the settings allow to be dialled, without starting anything.

    Where it takes under a second, or with --prove, also what holds of every call of the next 400 days: that
    nobody is cut off or rung for too long, and that every route, block rule and person is met. Exit status 1
    if the rules have an error, or with --prove a caller can come to harm; 2 if the settings cannot be used.
    """
    settings = read_settings(config)
    source = rules_file(settings, directory or rules)
    outcome = source.load()
    if isinstance(outcome, RuleSet):
        outcome = with_voices(outcome, prompts(settings))
    errors = outcome.errors if isinstance(outcome, RuleErrors) else ()
    warnings = () if isinstance(outcome, RuleErrors) else (*outcome.warnings, *unmet(settings, outcome))
    proof = None if isinstance(outcome, RuleErrors) else _proof(outcome, proved or write_test is not None)
    if proof is not None:
        warnings = tuple(sorted({*warnings, *(finding.warning for finding in proof.findings)}))
    if as_json:
        report = {"errors": errors, "warnings": warnings, "proof": proof}
        typer.echo(msgspec.json.encode(report).decode())
    else:
        print_remarks((*errors, *warnings))
        for line in _counts(outcome, len(warnings), proof if proved else None):
            typer.echo(f"{source.path}: {line}")
    harmed = proof is not None and any(finding.counterexample for finding in proof.findings)
    if write_test is not None and proof is not None and not isinstance(outcome, RuleErrors):
        _write(write_test, proof_as_scenarios(proof, outcome))
    if errors or (proved and harmed):
        raise typer.Exit(FAILED)


def _counts(outcome: RuleSet | RuleErrors, warnings: int, proof: Proof | None) -> Iterator[str]:
    if not isinstance(outcome, RuleErrors):
        numbers, clients = len(outcome.numbers), len(outcome.clients)
        yield f"{clients} client(s), {numbers} number(s), {warnings} warning(s); no errors"
    if proof is not None:
        kinds = f"{proof.kinds} kind(s) of calls until {proof.until:%Y-%m-%d}"
        yield f"looked at every call: {kinds}, {len(proof.findings)} finding(s)"


def _proof(rules: RuleSet, whole: bool) -> Proof | None:
    """Whole minutes, as administrators write them. Without `whole`, only if that is quick."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    return prove(rules, now, None if whole else QUICK)


def _write(path: Path, text: str) -> None:
    """Tests of one's own are not written over."""
    what = ""
    if not path.name.endswith(SCENARIOS):
        what = f"`{path}` is not where `callrouter test` looks; write NAME{SCENARIOS}"
    elif path.exists():
        what = f"`{path}` is there already; name a new file"
    try:
        if not what:
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        what = f"`{path}` cannot be written ({error.strerror}); name another file"
    if what:
        typer.echo(what, err=True)
        raise typer.Exit(WRONG)
