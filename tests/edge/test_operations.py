"""The page for operators tells the truth, as far as a program can say: its files, commands and alerts."""

import re

from router.cli.main import COMMANDS
from router.edge.backup import CALENDARS, MESSAGES
from router.edge.prompts import RECORDED
from router.edge.store.backup import POSTGRESQL_COPY, SQLITE_COPY
from tests.edge.test_containers import BACKUPS, SERVICES
from tests.harness.prometheus import rule_groups
from tests.harness.sandbox import ROOT

PAGE = (ROOT / "deploy" / "OPERATIONS.md").read_text(encoding="utf-8")
ALERTS = [rule["alert"] for group in rule_groups() for rule in group["rules"] if "alert" in rule]


def test_the_files_it_names_are_there() -> None:
    named = re.findall(r"`((?:systemd|container|prometheus|grafana)/[\w./]+)`", PAGE)
    assert len(named) >= 8
    assert [name for name in named if not (ROOT / "deploy" / name).exists()] == []
    typed = re.findall(r"(?<![\w/])((?:deploy|router|dialplan)/[\w./-]*\w)", PAGE)
    made = {"deploy/container/secrets"}
    assert [name for name in typed if not (ROOT / name).exists() and name not in made] == []


def test_the_commands_it_has_typed_are_there() -> None:
    words = re.findall(r"(?:^|`)callrouter (\w+)", PAGE, re.MULTILINE)
    assert set(words) > {"backup", "check"}
    assert set(words) <= set(COMMANDS)


def test_the_commands_it_has_typed_in_containers_are_there() -> None:
    beside = re.findall(r"docker compose exec (?:-T )?router callrouter (\w+)", PAGE)
    alone = re.findall(r"docker compose run --rm --no-deps router (\w+)", PAGE)
    assert set(beside) >= {"backup", "calls", "doctor"}
    assert set(alone) >= {"check", "test"}
    assert {*beside, *alone} <= set(COMMANDS)
    services = re.findall(
        r"docker compose (?:exec|run)(?: --?[a-zA-Z-]+(?: (?:tee|tar|cat|cp))?)* (\w+)", PAGE
    )
    assert set(services) <= set(SERVICES)
    folders = re.findall(
        r"/var/backups/\S+", PAGE.partition("## Backup, upgrade and doctor in containers")[2]
    )
    assert folders
    assert [folder for folder in folders if not folder.startswith(BACKUPS)] == []


def test_the_alerts_it_names_are_there() -> None:
    named = re.findall(r"`(Callrouter\w+)`", PAGE)
    assert named
    assert set(named) <= set(ALERTS)


def test_a_backup_is_what_it_says() -> None:
    assert f"| `{SQLITE_COPY}` or `{POSTGRESQL_COPY}` |" in PAGE
    for folder in (MESSAGES, RECORDED, CALENDARS):
        assert f"| `{folder}` |" in PAGE
