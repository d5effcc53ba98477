"""Tokens: made and revoked by commands, and known to the router, also without a database."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from router.cli.main import app
from router.core.access import Role, Token, hash_of
from router.edge import tokens as module
from router.edge.records import Records, UnreachableError
from router.edge.store.database import prepare
from router.edge.store.tokens import Tokens
from router.edge.tokens import KnownTokens
from tests.edge.api_server import FJORD
from tests.harness.postgres import Postgres

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
BOSS = Token("boss", Role.SUPERVISOR, "fjord", None, hash_of("cr_boss"), NOW, "root", NOW + HOUR)
NEXT = Token("boss", Role.READER, None, None, hash_of("cr_next"), NOW, "root")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_name_is_one_tokens_until_it_is_over_or_revoked(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path / 'callrouter.db'}"
    if kind == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.new_database()
    prepare(url)
    later = NOW + HOUR
    with closing(Tokens(url)) as tokens:
        assert tokens.add(BOSS, NOW)
        assert not tokens.add(NEXT, NOW)
        assert tokens.listed(NOW) == [BOSS]
        assert tokens.listed(later) == []
        assert tokens.add(NEXT, later)
        assert tokens.revoke("boss", "kari", later)
        assert not tokens.revoke("boss", "kari", later)
        assert tokens.listed(later) == []
        kept = tokens.listed(later, every=True)
    assert [(token.role, token.revoked_by) for token in kept] == [
        (Role.SUPERVISOR, None),
        (Role.READER, "kari"),
    ]


# What the router knows of them.


class Router:
    """The tokens that a router knows, and its clock."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.url = f"sqlite:///{file}"
        self.now = NOW
        self.records = Records(self.url)
        self.known = KnownTokens(self.records, lambda: self.now)

    async def knows(self, shown: str) -> str | None:
        """Whose token that is."""
        found = await self.known.find(hash_of(shown))
        return None if found is None else found.name

    def add(self, token: Token) -> None:
        with closing(Tokens(self.url)) as tokens:
            assert tokens.add(token, NOW)

    def revoke(self, name: str) -> None:
        with closing(Tokens(self.url)) as tokens:
            assert tokens.revoke(name, "root", NOW)


@pytest.fixture
async def router(tmp_path: Path) -> AsyncIterator[Router]:
    made = Router(tmp_path / "callrouter.db")
    prepare(made.url)
    made.add(BOSS)
    yield made
    made.records.close()


async def test_a_token_opens_until_it_is_over(router: Router) -> None:
    assert await router.knows("cr_boss") == "boss"
    assert await router.knows("cr_bos") is None
    router.now += HOUR
    assert await router.knows("cr_boss") is None


async def test_what_a_command_changes_is_known_at_once(router: Router) -> None:
    assert await router.knows("cr_boss") == "boss"
    router.revoke("boss")
    assert await router.known.read() == 0
    assert await router.knows("cr_boss") is None


async def test_what_another_router_was_told_is_known_in_a_while(
    router: Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await router.knows("cr_boss") == "boss"
    router.revoke("boss")
    router.add(replace(NEXT, name="next"))
    assert await router.knows("cr_boss") == "boss"
    assert await router.knows("cr_next") is None, "whoever guesses keeps nobody busy"
    monkeypatch.setattr(module, "FOR_UNKNOWN", 0.0)
    assert await router.knows("cr_next") == "next"
    monkeypatch.setattr(module, "LOOK_EVERY", 0.0)
    assert await router.knows("cr_boss") is None


async def test_without_a_database_those_stay_known_that_were(
    router: Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(module, "FOR_UNKNOWN", 0.0)
    monkeypatch.setattr("router.edge.records.ANEW_AFTER", 0.0)
    assert await router.knows("cr_boss") == "boss"
    away = router.file.rename(router.file.with_suffix(".away"))
    assert await router.knows("cr_boss") == "boss"
    with pytest.raises(UnreachableError):
        await router.knows("cr_next")
    away.rename(router.file)
    router.revoke("boss")
    router.add(NEXT)
    assert await router.knows("cr_next") == "boss"


# The commands.


@pytest.fixture
def folder(alone: None, tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "fjord.yaml").write_text(FJORD)
    (tmp_path / "callrouter.yaml").write_text("state: state\nrules: rules\nweb: {port: 9}\n")
    prepare(f"sqlite:///{tmp_path / 'state' / 'callrouter.db'}")
    return tmp_path


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, ["token", *words])


def kept(folder: Path) -> list[Token]:
    with closing(Tokens(f"sqlite:///{folder / 'state' / 'callrouter.db'}")) as tokens:
        return list(tokens.listed(datetime.now(UTC), every=True))


def test_a_token_is_shown_once_and_its_hash_kept(folder: Path) -> None:
    made = typed("create", "crm", "--role", "supervisor", "--client", "fjord", "--for", "90d")
    assert made.exit_code == 0
    shown = made.stdout.strip()
    assert re.fullmatch(r"cr_[A-Za-z0-9_-]{43}", shown)
    assert "crm: supervisor for fjord until 2" in made.stderr
    assert "it counts from the router's next start" in made.stderr, "no router answers at port 9"
    (token,) = kept(folder)
    assert (token.name, token.role, token.client, token.person) == ("crm", Role.SUPERVISOR, "fjord", None)
    assert token.hash == hash_of(shown)
    assert shown not in (folder / "state" / "callrouter.db").read_bytes().decode(errors="ignore")
    listed = typed("list").stdout
    assert "crm   supervisor  fjord" in listed
    assert token.hash not in listed + typed("list", "--json").stdout


def test_tokens_are_listed_and_revoked(folder: Path) -> None:
    assert typed("list").stdout.startswith("no tokens; `callrouter token create")
    made = json.loads(typed("create", "desk", "--role", "agent", "--client", "fjord", "--person", "kari",
                            "--json").stdout)  # fmt: skip
    assert (made["role"], made["person"], made["token"][:3]) == ("agent", "kari", "cr_")
    assert typed("revoke", "desk").stdout == "desk is revoked\n"
    assert typed("list").stdout.startswith("no tokens")
    assert json.loads(typed("list", "--all", "--json").stdout)["name"] == "desk"
    assert " by " in typed("list", "--all").stdout


WRONG = [
    ("twice", ("create", "crm", "--role", "reader"), 1, "there is a token `crm` already"),
    ("no role", ("create", "x"), 2, "Missing option '--role'"),
    ("a role that there is not", ("create", "x", "--role", "king"), 2, "'king' is not one of"),
    ("an agent's of nobody", ("create", "x", "--role", "agent"), 2, "--client ID and --person ID"),
    ("no client", ("create", "x", "--role", "reader", "--client", "fjard"), 2, "did you mean `fjord`?"),
    ("nobody", ("create", "x", "--role", "agent", "--client", "fjord", "--person", "karo"), 2,
     "did you mean `kari`?"),
    ("no time", ("create", "x", "--role", "reader", "--for", "0s"), 2, "no time at all"),
    ("too long a time", ("create", "x", "--role", "reader", "--for", "99999999d"), 2, "--for"),
    ("no name", ("create", " ", "--role", "reader"), 2, "1 to 64 letters"),
    ("a name that would move the cursor", ("create", "x\x1b[2J", "--role", "reader"), 2, "1 to 64 letters"),
    ("none of that name", ("revoke", "crn"), 1, "did you mean `crm`?"),
]  # fmt: skip


def test_what_cannot_be_is_told(folder: Path) -> None:
    assert typed("create", "crm", "--role", "reader").exit_code == 0
    for what, words, status, told in WRONG:
        found = typed(*words)
        assert found.exit_code == status, what
        assert told in " ".join(found.stderr.split()), what
    assert [token.name for token in kept(folder)] == ["crm"]


def test_with_rules_that_have_errors_names_are_taken_as_they_are(folder: Path) -> None:
    (folder / "rules" / "fjord.yaml").write_text("client: [")
    assert typed("create", "x", "--role", "reader", "--client", "anybody").exit_code == 0


def test_without_a_database_it_is_told(folder: Path) -> None:
    (folder / "state" / "callrouter.db").unlink()
    found = typed("list")
    assert (found.exit_code, "no router has run yet" in found.stderr) == (1, True)
