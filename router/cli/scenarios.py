"""`callrouter test`: the administrators' own tests of their rules."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from router.cli.check import load_rules, print_remarks
from router.cli.options import FAILED, Config, Json, Rules, read_settings, rules_file
from router.core.remarks import RuleError
from router.core.ruleset import RuleSet
from router.core.scenarios import Part, Played, Scenario, all_parts, play, read_scenarios
from router.edge.rulesfile import RulesFile


def run_scenarios(
    directory: Annotated[Path | None, typer.Argument(help="The same as --rules.", show_default=False)] = None,
    rules: Rules = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Name the routes and branches that no test meets.")
    ] = False,
    fail_under: Annotated[
        float | None,
        typer.Option(min=0, max=100, help="Fail if the tests meet less than so many per cent of them."),
    ] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write JUnit XML there as well.")] = None,
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Play the tests beside the rules, *.test.yaml. No call is placed, and nothing needs to run.

    Exit status 1 if a test fails, if there is none, or if the rules or the tests have errors.
    """
    source = rules_file(read_settings(config), directory or rules)
    loaded = load_rules(source)
    played = [play(scenario, loaded) for scenario in _scenarios(source, loaded)]
    parts = sorted(set(all_parts(loaded)))
    missed = [part for part in parts if not any(part in one.met for one in played)]
    covered = 100.0 * (1 - len(missed) / len(parts)) if parts else 100.0
    if junit is not None:
        _write_junit(junit, played)
    if as_json:
        for one in played:
            typer.echo(msgspec.json.encode(_as_object(one)).decode())
        summary = {"coverage": covered, "missed": [part._asdict() for part in missed]}
        typer.echo(msgspec.json.encode(summary).decode())
    else:
        typer.echo("\n".join(_lines(played, covered, missed if coverage else ())))
    failed = any(one.wrong for one in played) or not played
    if failed or (fail_under is not None and covered < fail_under):
        raise typer.Exit(FAILED)


def _scenarios(source: RulesFile, rules: RuleSet) -> Sequence[Scenario]:
    """All of them; ends the command with their errors, if they have some."""
    texts, unreadable = source.scenarios()
    scenarios: list[Scenario] = []
    errors: list[RuleError] = list(unreadable)
    for file, text in texts.items():
        found, wrong = read_scenarios(file, text, rules)
        scenarios += found
        errors += wrong
    if errors:
        print_remarks(sorted(errors))
        raise typer.Exit(FAILED)
    return scenarios


def _lines(played: Sequence[Played], covered: float, missed: Sequence[Part]) -> Iterator[str]:
    for one in played:
        for wrong in one.wrong:
            yield f"{one.scenario.place}: {one.scenario.doc.name}: {wrong}"
    failed = sum(bool(one.wrong) for one in played)
    for part in missed:
        yield f"{part.place}: {part.what}: no test meets it"
    passed = f"{len(played) - failed} passed, {failed} failed"
    counts = passed if played else "there are no tests: write NAME.test.yaml beside the rules"
    yield f"{counts}; {covered:.0f} % of routes and branches met"


def _as_object(one: Played) -> dict[str, object]:
    decision, record = one.supposed.decision, one.supposed.record
    return {
        "name": one.scenario.doc.name,
        "place": one.scenario.place,
        "passed": not one.wrong,
        "wrong": one.wrong,
        "client": decision.client,
        "route": decision.route,
        "steps": one.supposed.steps,
        "disposition": record.disposition,
        "reason": record.reason,
        "answered_by": record.answered_by,
        "follow_ups": [due.follow_up.name for due in one.follow_ups],
    }


def _write_junit(path: Path, played: Sequence[Played]) -> None:
    failures = sum(bool(one.wrong) for one in played)
    suite = ET.Element("testsuite", name="callrouter", tests=str(len(played)), failures=str(failures))
    for one in played:
        file, _, line = one.scenario.place.rpartition(":")
        named = {"name": one.scenario.doc.name, "classname": file, "file": file, "line": line}
        case = ET.SubElement(suite, "testcase", named)
        if one.wrong:
            ET.SubElement(case, "failure", message=one.wrong[0]).text = "\n".join(one.wrong)
    try:
        ET.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        typer.echo(f"{path} cannot be written ({error.strerror})", err=True)
        raise typer.Exit(FAILED) from error
