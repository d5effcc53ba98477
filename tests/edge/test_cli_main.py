"""`callrouter` itself: its commands, each of which is imported when it is wanted."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from router.cli.main import COMMANDS, app

pytestmark = pytest.mark.usefixtures("alone")


def test_all_commands_are_listed() -> None:
    found = CliRunner().invoke(app, ["--help"])
    assert [name for name in COMMANDS if f"│ {name} " not in found.stdout] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_tells_how_it_is_used(name: str) -> None:
    found = CliRunner().invoke(app, [name, "--help"])
    assert found.exit_code == 0
    assert f"Usage: callrouter {name} " in found.stdout


def test_a_misspelt_command() -> None:
    found = CliRunner().invoke(app, ["chekc"])
    assert found.exit_code == 2
    assert "Did you mean 'check'?" in found.stderr


def test_checking_rules_needs_neither_asterisk_nor_a_database() -> None:
    text = "import sys; import router.cli.check; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout
    assert {"aiohttp", "sqlalchemy"}.isdisjoint(loaded.split())
