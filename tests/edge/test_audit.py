"""What is kept of supervision, and `callrouter agents audit` as it is typed."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from router.cli.main import app
from router.cli.words import moment
from router.core.supervision import Mode, Outcome, Refusal, Stretch
from router.edge.store.bulk import BulkStatements
from router.edge.store.database import parse_url, prepare
from router.edge.store.supervisions import SupervisionAudit, Unseen, ended_unseen
from router.edge.store.writer import Writer
from tests.edge.stories import TEN

pytestmark = pytest.mark.usefixtures("alone")

ROUTER = "asterisk-1 callrouter"
LISTENS = Stretch("s1", 1, "fjord", "mia", "PJSIP/103", "kari", "aaaaaaaaaaaaa", Mode.LISTEN, TEN)
WHISPERS = replace(LISTENS, number=2, mode=Mode.WHISPER, began=TEN + timedelta(seconds=70))
REFUSED = replace(
    LISTENS,
    supervision="s2",
    client="",
    supervisor="",
    endpoint="PJSIP/9",
    agent="100",
    call_id="",
    began=TEN - timedelta(hours=1),
    ended=TEN - timedelta(hours=1),
    outcome=Outcome.REFUSED,
    reason=Refusal.NOT_PERMITTED.value,
)


def ended(stretch: Stretch, outcome: Outcome, seconds: float = 70.0) -> Stretch:
    return replace(stretch, ended=stretch.began + timedelta(seconds=seconds), outcome=outcome)


class Records:
    """A database, and who writes to it."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder / 'state' / 'callrouter.db'}"
        prepare(self.url)
        (folder / "callrouter.yaml").write_text("state: state\n")

    def write(self, *stretches: Stretch, router: str = ROUTER) -> None:
        """All of them at once."""
        writer = Writer(self.url, queue_limit=1000)
        for stretch in stretches:
            writer.supervised(router, stretch)
        writer.start()
        assert writer.close(20) == 0

    def unseen(self, router: str) -> None:
        writer = Writer(self.url, queue_limit=1000)
        writer.unseen(router, TEN + timedelta(seconds=70))
        writer.start()
        assert writer.close(20) == 0

    def latest(self, client: str | None = None, limit: int = 50) -> list[Stretch]:
        audit = SupervisionAudit(self.url)
        found = list(audit.latest(client, limit))
        audit.close()
        return found


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(tmp_path)


def typed(*words: str) -> str:
    done = CliRunner().invoke(app, ["agents", "audit", *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_end_of_a_stretch_is_written_beside_its_beginning(records: Records) -> None:
    records.write(LISTENS, ended(LISTENS, Outcome.CHANGED), WHISPERS)
    assert records.latest() == [WHISPERS, ended(LISTENS, Outcome.CHANGED)]
    records.write(ended(WHISPERS, Outcome.LEFT))
    assert records.latest() == [ended(WHISPERS, Outcome.LEFT), ended(LISTENS, Outcome.CHANGED)]


def test_what_nobody_saw_the_end_of_is_no_guess(records: Records) -> None:
    later = replace(WHISPERS, supervision="s3", began=TEN + timedelta(seconds=80))
    records.write(ended(LISTENS, Outcome.CHANGED), WHISPERS, later)
    records.write(replace(WHISPERS, supervision="s9"), router="asterisk-1 other")
    records.unseen(ROUTER)
    assert {(one.supervision, one.number): (one.outcome, one.ended) for one in records.latest()} == {
        ("s1", 1): (Outcome.CHANGED, WHISPERS.began),
        ("s1", 2): (Outcome.UNOBSERVED, None),
        ("s3", 2): (None, None),
        ("s9", 2): (None, None),
    }


def test_a_table_for_people(records: Records) -> None:
    assert typed() == "nobody has supervised\n"
    records.write(REFUSED, ended(LISTENS, Outcome.CHANGED), WHISPERS)
    head, *rows = typed().splitlines()
    assert head.split() == [
        "began", "client", "supervisor", "phone", "mode", "agent", "call", "lasted", "end",
    ]  # fmt: skip
    assert [" ".join(row.split()) for row in rows] == [
        f"{moment(WHISPERS.began)} fjord mia PJSIP/103 whisper kari aaaaaaaaaaaaa - still on",
        f"{moment(TEN)} fjord mia PJSIP/103 listen kari aaaaaaaaaaaaa 1:10 went on in another mode",
        f"{moment(REFUSED.began)} - - PJSIP/9 listen 100 - - refused: not permitted",
    ]


def test_as_json_and_as_few_as_wanted(records: Records) -> None:
    records.write(REFUSED, ended(LISTENS, Outcome.TALK_OVER))
    [line] = typed("--json", "--client", "fjord").splitlines()
    assert json.loads(line) | {"began": "", "ended": ""} == {
        "supervision": "s1",
        "number": 1,
        "client": "fjord",
        "supervisor": "mia",
        "endpoint": "PJSIP/103",
        "agent": "kari",
        "call_id": "aaaaaaaaaaaaa",
        "mode": "listen",
        "outcome": "talk_over",
        "reason": "",
        "began": "",
        "ended": "",
    }
    assert len(typed("--json", "--limit", "1").splitlines()) == 1
    assert typed("--client", "sund") == "nobody has supervised\n"


def test_every_end_has_words(records: Records) -> None:
    outcomes = [one for one in Outcome if one is not Outcome.REFUSED]
    records.write(*(replace(ended(LISTENS, one), number=at) for at, one in enumerate(outcomes, start=1)))
    assert len(typed().splitlines()) == len(outcomes) + 1


def test_without_a_database_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "callrouter.yaml").write_text("state: state\n")
    done = CliRunner().invoke(app, ["agents", "audit"])
    assert done.exit_code == 1
    assert "no router has run yet" in done.output


def test_postgresql_writes_it_alike() -> None:
    dialect = parse_url("postgresql://h/d").get_dialect()()
    written = BulkStatements(dialect).supervisions
    assert "ON CONFLICT (supervision, number) DO UPDATE SET ended_at = excluded.ended_at" in written
    assert "outcome IS NULL" in str(ended_unseen(Unseen(ROUTER, TEN)).compile(dialect=dialect))
