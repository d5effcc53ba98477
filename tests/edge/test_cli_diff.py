"""`callrouter diff`, as an administrator types it: paths and git revisions."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from router.cli.main import app
from router.edge import revision

OLD = """\
client: fjord
name: Fjord Legesenter
numbers: ["+47 22 33 44 55"]
timezone: Europe/Oslo
country: NO
hours: {office: {week: {mon-sun: "08:00-16:00"}}}
routes:
  - {name: closed, when: {closed: office}, do: [{say: {file: closed}}, hangup]}
  - name: main
    do:
      - {ring: PJSIP/100, on: {busy: [{say: {file: wait}}, {ring: PJSIP/101}], failed: hangup}}
last_resort: []
"""
LONGER = OLD.replace("16:00", "16:30")
RENAMED = OLD.replace("name: main", "name: usual")
SUND = OLD.replace("fjord", "sund").replace("44 55", "44 66")

pytestmark = pytest.mark.usefixtures("alone")


def diff(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["diff", *arguments])


def write(text: str, name: str = "rules/fjord.yaml") -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text)


def git(*arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def revisions(alone: None) -> None:
    """OLD, then LONGER, in a repository; and two more clients in the working tree."""
    git("init", "-q", "-b", "main")
    write(OLD)
    write("tests: []\n", "rules/fjord.test.yaml")
    git("add", ".")
    git("commit", "-q", "-m", "old")
    write(LONGER)
    git("commit", "-q", "-a", "-m", "longer")


def test_rules_that_mean_the_same() -> None:
    write(OLD, "old/fjord.yaml")
    write("# as before\n" + OLD, "new/fjord.yaml")
    found = diff("old", "new")
    assert (found.exit_code, found.stderr) == (0, "")
    assert found.stdout.endswith("both mean the same\n")


def test_what_differs_is_told_with_an_example_and_both_traces() -> None:
    write(OLD, "old/fjord.yaml")
    write(LONGER, "new/fjord.yaml")
    found = diff("old", "new", "--days", "10")
    assert (found.exit_code, found.stderr) == (1, "")
    lines = [line.strip() for line in found.stdout.splitlines()]
    assert lines[:2] == ["fjord: +4722334455", "from: everybody"]
    assert lines[2].startswith("when: 20")
    # Between the two, it is from now on.
    assert re.search(r" 16:\d\d until 16:30, and [678] more; the last ", lines[2])
    assert lines[3].startswith("for example --to +4722334455 --from +47")
    assert re.search(r" 16:\d\d'$", lines[3])
    after = lines.index("after:")
    assert any(line.startswith("old/fjord.yaml:8: route closed: taken") for line in lines[:after])
    assert lines[after - 2 : after] == ["1. say sound:closed", "2. hangup"]
    assert lines[after + 4 : after + 8] == [
        "1. ring PJSIP/100, 25 s each round; on busy go to 2; on failed go to 4; then end",
        "2. say sound:wait",
        "3. ring PJSIP/101, 25 s each round; then end",
        "4. hangup",
    ]
    assert lines[-1].endswith(", 1 difference(s)")


FOLLOW_UP = "follow_ups: [{name: missed, when: {disposition: busy}, do: {mail: post@fjord.example}}]\n"


def test_what_is_done_otherwise_after_calls_is_told_too() -> None:
    write(OLD, "old/fjord.yaml")
    write(OLD + FOLLOW_UP, "new/fjord.yaml")
    found = diff("old", "new")
    assert found.exit_code == 1
    assert found.stdout.splitlines()[:3] == [
        "fjord: follow-up missed",
        "  before: none",
        "  after: missed, when disposition: busy: mail to post@fjord.example",
    ]
    assert found.stdout.endswith(", 1 difference(s)\n")
    told, summary = map(json.loads, diff("new", "old", "--json").stdout.splitlines())
    assert (told["client"], told["follow_up"], told["after"], summary["same"]) == (
        "fjord",
        "missed",
        None,
        False,
    )


def test_hours_that_only_follow_ups_go_by() -> None:
    late = "hours: {late: {week: {mon-sun: '18:00-20:00'}}, office:"
    rules = OLD.replace("hours: {office:", late) + FOLLOW_UP.replace("disposition: busy", "open: late")
    write(rules, "old/fjord.yaml")
    write(rules.replace("18:00", "19:00"), "new/fjord.yaml")
    assert diff("old", "new").stdout.splitlines()[:2] == [
        "fjord: follow-up missed",
        "  missed, when open: late: mail to post@fjord.example; of other hours, or in another language",
    ]


def test_the_example_can_be_explained() -> None:
    write(OLD, "old/fjord.yaml")
    write(LONGER, "new/fjord.yaml")
    example = json.loads(diff("old", "new", "--json").stdout.splitlines()[0])["example"]
    call = ["--to", example["to"], "--from", example["from"], "--at", example["at"][:10] + " 16:15"]
    for rules, route in (("old", "closed"), ("new", "main")):
        found = CliRunner().invoke(app, ["explain", *call, "--rules", rules, "--json"])
        assert json.loads(found.stdout)["route"] == route


def test_a_report_for_programs() -> None:
    write(OLD, "old/fjord.yaml")
    write(LONGER, "new/fjord.yaml")
    write(SUND, "new/sund.yaml")
    found = diff("old", "new", "--json")
    *differences, summary = [json.loads(line) for line in found.stdout.splitlines()]
    assert found.exit_code == 1
    assert summary["same"] is False
    assert (summary["new_clients"], summary["gone_clients"]) == (["sund"], [])
    assert [one["client_after"] for one in differences] == ["fjord", "sund"]
    longer, new = differences
    assert longer["dialled"][0]["within"] == ["+4722334455"]
    assert len(longer["periods"]) in (399, 400, 401)
    assert longer["example"]["before"]["route"] == "closed"
    assert new["callers"] == {
        "numbers": [{"within": [], "but_not": [], "country": "", "not_countries": []}],
        "anonymous": True,
        "internal": True,
    }


def test_clients_that_are_new_or_gone() -> None:
    write(OLD, "old/fjord.yaml")
    write(SUND, "new/sund.yaml")
    found = diff("old", "new")
    assert found.exit_code == 1
    lines = found.stdout.splitlines()
    assert lines[:3] == [
        "client sund is new",
        "client fjord is gone",
        "fjord before, nobody after: +4722334455",
    ]
    assert "nobody before, sund after: +4722334466" in lines
    assert lines.count("  when: at any time") == 2


def test_a_name_alone_is_told_if_asked_for() -> None:
    write(OLD, "old.yaml")
    write(RENAMED, "new.yaml")
    found, named = diff("old.yaml", "new.yaml"), diff("old.yaml", "new.yaml", "--names")
    assert (found.exit_code, named.exit_code) == (0, 0)
    assert "usual" not in found.stdout
    assert named.stdout.startswith("fjord: +4722334455, only by another name\n")
    assert "new.yaml:9: route usual: taken" in named.stdout


@pytest.mark.usefixtures("revisions")
def test_a_revision_against_the_rules_in_use() -> None:
    found = diff("HEAD~1")
    assert (found.exit_code, found.stderr) == (1, "")
    assert "HEAD~1:rules/fjord.yaml:8: route closed: taken" in found.stdout
    assert " rules/fjord.yaml:9: route main: taken" in found.stdout
    assert diff("HEAD").exit_code == 0


@pytest.mark.usefixtures("revisions")
def test_two_revisions_and_nothing_is_checked_out() -> None:
    write(SUND, "rules/sund.yaml")
    assert diff("HEAD~1", "main").exit_code == 1
    assert diff("main", "HEAD").exit_code == 0
    assert Path("rules/fjord.yaml").read_text() == LONGER
    assert diff("HEAD", "rules").stdout.startswith("client sund is new\n")


@pytest.mark.usefixtures("revisions")
def test_a_path_wins_over_a_revision() -> None:
    write(LONGER, "main/fjord.yaml")
    write(OLD)
    assert diff("main").exit_code == 1
    write(OLD, "main/fjord.yaml")
    assert diff("main").exit_code == 0


@pytest.mark.usefixtures("revisions")
def test_rules_that_are_one_file_or_the_whole_repository() -> None:
    assert diff("HEAD~1", "--rules", "rules/fjord.yaml").exit_code == 1
    write(OLD, "fjord.yaml")
    git("add", ".")
    git("commit", "-q", "-m", "on top")
    assert diff("HEAD", "--rules", ".").exit_code == 0


@pytest.mark.usefixtures("revisions")
def test_what_cannot_be_had_is_said() -> None:
    write(OLD, "later/fjord.yaml")
    rows = [
        (("nope",), "`nope` is no file, no directory and no revision that git knows; write a path"),
        (("HEAD~9",), "`HEAD~9` is no file, no directory and no revision"),
        (("--", "-x"), "`-x` is no file, no directory and no revision"),
        (("HEAD", "--rules", "later"), "later is not in HEAD"),
        (("HEAD", "later", "--rules", "none/at/all"), "none/at: no such directory; give the rules' own"),
    ]
    for arguments, said in rows:
        found = diff(*arguments)
        assert (found.exit_code, found.stdout) == (2, "")
        assert found.stderr.startswith(said)


def test_no_repository() -> None:
    write(OLD)
    found = diff("HEAD")
    assert found.exit_code == 2
    assert "give a directory or a file" in found.stderr


@pytest.mark.usefixtures("revisions")
def test_no_git_and_a_git_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revision, "PATIENCE", 0.2)
    Path("bin").mkdir()
    Path("bin/git").write_text("#!/bin/sh\nexec /bin/sleep 5\n")
    Path("bin/git").chmod(0o755)
    for path, said in (("bin", "git did not answer within 0.2 s"), ("", "git is not installed")):
        monkeypatch.setenv("PATH", path and str(Path(path).absolute()))
        found = diff("HEAD")
        assert found.exit_code == 2
        assert found.stderr.startswith(said)


def test_rules_with_errors() -> None:
    write(OLD.replace("Oslo", "Olso"))
    write(OLD, "new/fjord.yaml")
    found = diff("rules", "new")
    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr.startswith("rules/fjord.yaml:4:11: `Europe/Olso` is not a time zone")
