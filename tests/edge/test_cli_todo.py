"""`callrouter todo` and `outbox`, as typed: what cannot be."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.edge.store.database import prepare
from tests.edge.api_server import FJORD

HUGE = str(2**63)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a router that has run, with one client."""
    folder = tmp_path_factory.mktemp("todo")
    (folder / "rules").mkdir()
    (folder / "rules" / "fjord.yaml").write_text(FJORD)
    file = folder / "callrouter.yaml"
    file.write_text(json.dumps({"state": str(folder), "rules": str(folder / "rules"), "web": {"port": 1}}))
    prepare(f"sqlite:///{folder}/callrouter.db")
    return file


TYPED = [
    ("no such client", ("todo", "--client", "fjrod"), 2, "did you mean `fjord`?"),
    ("nobody's", ("todo", "--owner", "kary"), 2, "nobody in the rules is `kary`; did you mean `kari`?"),
    ("no client, reached", ("todo", "reached", "+4790000009"), 2, "Missing option '--client'"),
    (
        "no number, reached",
        ("todo", "reached", "kari", "--client", "fjord"),
        2,
        "`kari` is not a phone number",
    ),
    ("more than an id can be, done", ("todo", "done", HUGE), 2, "less than or equal to"),
    ("more than an id can be, sent", ("outbox", "resend", HUGE), 2, "less than or equal to"),
    ("no such id, done", ("todo", "done", str(2**63 - 1)), 1, "nobody is to be called back by the id"),
    ("no such id, sent", ("outbox", "resend", str(2**63 - 1)), 1, "nothing with the id"),
]


@pytest.mark.parametrize(
    ("words", "status", "why"), [row[1:] for row in TYPED], ids=[row[0] for row in TYPED]
)
def test_what_cannot_be_typed(config: Path, words: tuple[str, ...], status: int, why: str) -> None:
    refused = CliRunner().invoke(app, [*words, "--config", str(config)])
    assert refused.exit_code == status
    assert why in " ".join(refused.stderr.replace("│", "").split())
    assert "Traceback" not in refused.stderr


def test_whom_a_client_is_to_call(config: Path) -> None:
    listed = CliRunner().invoke(app, ["todo", "--client", "fjord", "--config", str(config)])
    assert (listed.exit_code, listed.stdout) == (0, "nobody is to be called back\n")
