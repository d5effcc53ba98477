"""The unit that ships, as systemd's own programs see it; nothing is started."""

import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from router.app import LAST_WORDS
from router.cli.options import WRONG
from router.settings import Settings, fields, variable_of
from router.settingsfile import load
from tests.harness.sandbox import ROOT

FOLDER = ROOT / "deploy" / "systemd"
UNIT = FOLDER / "callrouter.service"
MISSING = "there is no {} here: `deploy/parts --tests`, or install Debian's package systemd"
pytestmark = pytest.mark.usefixtures("alone")

EXPOSURE = 15
"""Of a hundred, that `systemd-analyze security` may find exposed: the network, and little else."""


def systemd(name: str, *words: str) -> str:
    """Run one of its programs; what it says is the test's failure, if it finds fault."""
    found = shutil.which(name)
    assert found is not None, MISSING.format(name)
    done = subprocess.run([found, *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def settings_of_unit() -> dict[str, list[str]]:
    """Its lines, whatever section they are in."""
    found = defaultdict(list)
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found[name].append(value)
    return found


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, for the program that is here."""
    text = UNIT.read_text(encoding="utf-8")
    assert "ExecStart=/opt/callrouter/bin/callrouter run\n" in text
    here = tmp_path / UNIT.name
    here.write_text(text.replace("/opt/callrouter/bin", str(Path(sys.executable).parent)), encoding="utf-8")
    return here


def test_systemd_finds_no_fault(unit: Path) -> None:
    assert systemd("systemd-analyze", "verify", "--man=no", str(unit)) == ""


def test_systemd_finds_fault_where_there_is_one(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("WatchdogSec=60", "WatchdogSecs=60"))
    assert "WatchdogSecs" in systemd("systemd-analyze", "verify", "--man=no", str(unit))


def test_little_is_exposed(unit: Path) -> None:
    told = systemd("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE}", str(unit))
    assert "Overall exposure level" in told


def test_its_user_can_be_made() -> None:
    assert "callrouter" in systemd("systemd-sysusers", "--dry-run", str(FOLDER / "callrouter.sysusers"))


def test_a_stop_is_given_the_time_it_takes() -> None:
    found = settings_of_unit()
    assert float(found["TimeoutStopSec"][0]) >= Settings.model_fields["drain_for"].default + LAST_WORDS
    assert found["KillMode"] == ["mixed"]  # SIGTERM is for the router, not for what speaks for it
    assert found["Type"] == ["notify"]
    assert "WatchdogSec" in found


def test_it_is_started_again_but_where_that_is_of_no_use() -> None:
    found = settings_of_unit()
    assert (found["Restart"], found["StartLimitIntervalSec"]) == (["always"], ["0"])
    assert found["RestartPreventExitStatus"] == [str(WRONG)]


def test_the_password_comes_as_a_credential() -> None:
    found = settings_of_unit()
    (name, _, source) = found["LoadCredential"][0].partition(":")
    given = dict(line.split("=", 1) for line in found["Environment"])
    known = {variable_of(path) for path, _ in fields(Settings)}
    ours = {variable: value for variable, value in given.items() if variable.startswith("CALLROUTER_")}
    assert ours == {"CALLROUTER_ARI__PASSWORD_FILE": f"%d/{name}"}
    assert set(ours) <= known
    assert source == "/etc/callrouter/ari.secret"


def test_the_credential_stands_in_for_the_file_that_only_root_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "credential").write_text("a-long-random-one")
    (tmp_path / "callrouter.yaml").write_text("ari: {password_file: not-to-be-read}\n")
    monkeypatch.setenv("CALLROUTER_ARI__PASSWORD_FILE", str(tmp_path / "credential"))
    found = load(tmp_path / "callrouter.yaml", to_run=True)
    assert found.ari.password.get_secret_value() == "a-long-random-one"
    assert found.rules == tmp_path / "rules"


def test_its_process_can_be_measured() -> None:
    text = UNIT.read_text(encoding="utf-8")
    assert re.search(r"^ProcSubset", text, re.MULTILINE) is None
