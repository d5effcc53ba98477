"""`callrouter check` on good rules with one mistake: each is told with its file, line and column, with what
is wrong and with what to write instead.
"""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from router.cli.main import app
from tests.edge import mistakes_in_meaning, mistakes_in_text, mistakes_in_values
from tests.edge.good_rules import FILES, Told

MISTAKES = (*mistakes_in_text.MISTAKES, *mistakes_in_values.MISTAKES, *mistakes_in_meaning.MISTAKES)

pytestmark = pytest.mark.usefixtures("alone")


def write(files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = Path("rules", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    Path("trunk.yaml").write_text("trunk: PJSIP/{number}@trunk\n")


def check(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["check", "--config", "trunk.yaml", *arguments])


def test_the_rules_are_good_without_a_mistake() -> None:
    write(FILES)
    found = check()
    assert (found.exit_code, found.stderr) == (0, "")


@pytest.mark.parametrize(
    ("file", "old", "new", "told"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)
def test_a_mistake_is_told(file: str, old: str | None, new: str | bytes, told: Told) -> None:
    good = FILES[file]
    if old is not None:
        assert isinstance(good, str)
        assert isinstance(new, str)
        assert good.count(old) == 1
        new = good.replace(old, new)
    write({**FILES, file: new})
    found = check()
    assert found.exit_code == 1
    assert found.stderr.splitlines() == [f"rules/{place}: {what}; {instead}" for place, what, instead in told]
    report = check("--json")
    assert (report.exit_code, report.stderr) == (1, "")
    errors = json.loads(report.stdout)["errors"]
    assert [_as_told(error) for error in errors] == told


def _as_told(error: dict[str, str]) -> tuple[str, str, str]:
    place = f":{error['line']}:{error['col']}" if error["line"] else ""
    return f"{error['file'].removeprefix('rules/')}{place}", error["what"], error["instead"]
