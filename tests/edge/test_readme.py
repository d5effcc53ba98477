"""The README tells the truth: every setting and command is in it, and its rules file is one."""

import re
from pathlib import Path

from router.cli.main import COMMANDS
from router.core.dialling import Dialling
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.settings import reference

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def test_every_setting_is_listed_with_its_default() -> None:
    listed = re.findall(r"^\| `([\w.]+)` \| `?([^|`]*)`? \|", README, re.MULTILINE)
    assert [name for name, _ in listed] == [row.name for row in reference()]
    moving = {"state"}  # depends on who asks
    assert {name: default.strip() for name, default in listed if name not in moving} == {
        row.name: row.default for row in reference() if row.name not in moving
    }


def test_every_command_is_described() -> None:
    assert [name for name in COMMANDS if f"`callrouter {name}" not in README] == []


def test_the_first_rules_file_is_without_fault() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    rules = compile_rules({"acme.yaml": text}, Dialling("PJSIP/{number}@trunk"))
    assert isinstance(rules, RuleSet), rules
    assert rules.warnings == ()
