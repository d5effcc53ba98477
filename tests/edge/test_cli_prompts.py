"""`callrouter prompts`, as it is typed."""

import json
import wave
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from router.cli.main import app

pytestmark = pytest.mark.usefixtures("alone")

RULES = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
language: nb
greeting: Hei.
last_resort: []
routes: [{name: main, do: [{say: Ha det.}, hangup]}]
"""


@pytest.fixture(autouse=True)
def settings(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "fjord.yaml").write_text(RULES)
    (tmp_path / "callrouter.yaml").write_text("state: state\nrules: rules\n")


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, ("prompts", *words))


def test_what_is_heard_is_listed_and_made() -> None:
    lines = typed().stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["language", "prompt", "place", "text"],
        ["nb", "missing", "rules/fjord.yaml:7", "Hei."],
        ["nb", "missing", "rules/fjord.yaml:9", "Ha", "det."],
    ]
    assert typed("make").stdout == "2 made, 0 were there, 0 failed\n"
    assert typed("make").stdout == "0 made, 2 were there, 0 failed\n"
    rows = [json.loads(line) for line in typed("--json").stdout.splitlines()]
    assert [(row["text"], row["made"]) for row in rows] == [("Hei.", True), ("Ha det.", True)]
    assert all(Path(row["file"]).is_file() for row in rows)


def test_what_cannot_be_spoken_is_told_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "rules" / "fjord.yaml").write_text(RULES.replace("language: nb", "language: zz"))
    done = typed("make")
    assert (done.exit_code, done.stdout) == (1, "0 made, 0 were there, 2 failed\n")
    assert done.stderr.lstrip().startswith("rules/fjord.yaml:7:1: `Hei.` cannot be spoken in zz: espeak-ng")


def test_a_text_is_saved_to_be_heard(tmp_path: Path) -> None:
    assert typed("save", "Hello there.", "hello.wav").exit_code == 0
    with wave.open(str(tmp_path / "hello.wav")) as sound:
        assert sound.getframerate() == 8000
    unknown = typed("save", "Hello.", "hello.wav", "--language", "zz")
    assert (unknown.exit_code, "cannot be spoken in zz" in unknown.stderr) == (1, True)
    nowhere = typed("save", "Hello there.", "no/such/folder.wav")
    assert (nowhere.exit_code, "name another file" in nowhere.stderr) == (2, True)


def test_a_recording_is_listed_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "rules" / "fjord.yaml").write_text(RULES.replace("Ha det.", "{file: recorded/bye}"))
    assert typed().stdout.splitlines()[2].split() == ["missing", "rules/fjord.yaml:9", "recorded/bye"]
    (tmp_path / "state" / "prompts" / "recorded").mkdir(parents=True)
    for ending, made in ((".wav", False), (".wav16", True)):
        (tmp_path / "state" / "prompts" / "recorded" / f"bye{ending}").write_bytes(b"RIFF")
        row = json.loads(typed("--json").stdout.splitlines()[1])
        assert (row["language"], row["text"], row["made"]) == ("", "recorded/bye", made), "both are needed"


WRONG_WORDS = {
    "a name with a path": (("../x", "--ring", "PJSIP/100"), "`../x` is no name"),
    "a name that is long": (("x" * 65, "--ring", "PJSIP/100"), "use at most 64 letters"),
    "no phone": (("x", "--ring", "100"), "`100` is no phone; write it as PJSIP/100"),
}


@pytest.mark.parametrize(("words", "why"), WRONG_WORDS.values(), ids=WRONG_WORDS)
def test_what_cannot_be_recorded(words: tuple[str, ...], why: str) -> None:
    result = typed("record", *words)
    assert result.exit_code == 2
    assert why in result.stderr


def test_without_asterisk_nothing_is_recorded(tmp_path: Path) -> None:
    (tmp_path / "callrouter.yaml").write_text(
        "state: state\nrules: rules\nari: {url: 'http://127.0.0.1:9/ari', password: a-long-one}\n"
    )
    result = typed("record", "x", "--ring", "PJSIP/100")
    assert result.exit_code == 1
    assert "Is Asterisk running" in result.stderr


def test_a_folder_that_cannot_be_written_is_told_before_a_phone_rings(tmp_path: Path) -> None:
    (tmp_path / "state" / "prompts").mkdir(parents=True)
    (tmp_path / "state" / "prompts" / "recorded").write_text("in the way")
    result = typed("record", "x", "--ring", "PJSIP/100")
    assert result.exit_code == 1
    assert result.stderr.endswith(
        "recorded cannot be written (File exists); make it a folder that you may write to\n"
    )


def test_without_sox_no_phone_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    typed("record", "x", "--ring", "PJSIP/100")  # which makes the instructions
    monkeypatch.setenv("PATH", "")
    result = typed("record", "x", "--ring", "PJSIP/100")
    assert result.exit_code == 1
    assert "there is no sox here; install" in result.stderr
