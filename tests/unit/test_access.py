"""Tokens: who may do what, to whom, until when."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from router.core.access import Role, Token, hash_of, what_is_wrong

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
BOSS = Token("boss", Role.SUPERVISOR, None, None, hash_of("cr_boss"), NOW, "root")


def test_a_role_may_what_those_before_it_may() -> None:
    for at, role in enumerate(Role):
        assert [role.covers(other) for other in Role] == [rank <= at for rank in range(len(Role))]


HOLDS = [
    ("until revoked", None, None, True),
    ("until later", NOW + HOUR, None, True),
    ("until now", NOW, None, False),
    ("revoked", None, NOW, False),
]


@pytest.mark.parametrize(
    ("until", "revoked_at", "holds"), [row[1:] for row in HOLDS], ids=[row[0] for row in HOLDS]
)
def test_how_long_a_token_holds(until: datetime | None, revoked_at: datetime | None, holds: bool) -> None:
    token = msgspec.structs.replace(BOSS, until=until, revoked_at=revoked_at)
    assert token.holds(NOW) is holds


CHANGES = [
    ("a supervisor's, for all clients", Role.SUPERVISOR, None, None, True),
    ("a supervisor's, for this client", Role.SUPERVISOR, "fjord", None, True),
    ("a supervisor's, for another", Role.SUPERVISOR, "sund", None, False),
    ("the agent's own", Role.AGENT, "fjord", "kari", True),
    ("another agent's", Role.AGENT, "fjord", "ola", False),
    ("one of that name, of another client", Role.AGENT, "sund", "kari", False),
    ("a reader's", Role.READER, None, None, False),
]


@pytest.mark.parametrize(
    ("role", "client", "person", "may"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES]
)
def test_whose_work_a_token_is_for(role: Role, client: str | None, person: str | None, may: bool) -> None:
    token = msgspec.structs.replace(BOSS, role=role, client=client, person=person)
    assert token.may_change("fjord", "kari") is may


def test_a_token_for_one_client_sees_no_calls_of_nobody() -> None:
    fjords = msgspec.structs.replace(BOSS, client="fjord")
    assert [fjords.sees(client) for client in ("fjord", "sund", None)] == [True, False, False]
    assert [BOSS.sees(client) for client in ("fjord", "sund", None)] == [True, True, True]


WRONG = [
    ("a reader's, for all", Role.READER, None, None, None),
    ("an agent's", Role.AGENT, "fjord", "kari", None),
    ("an agent's, of nobody", Role.AGENT, "fjord", None, "--person"),
    ("an agent's, of no client", Role.AGENT, None, "kari", "--client"),
    ("a supervisor's, of a person", Role.SUPERVISOR, "fjord", "kari", "leave --person out"),
    ("an admin's, of one client", Role.ADMIN, "fjord", None, "leave --client out"),
]


@pytest.mark.parametrize(
    ("role", "client", "person", "wrong"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_which_tokens_there_can_be(
    role: Role, client: str | None, person: str | None, wrong: str | None
) -> None:
    found = what_is_wrong(role, client, person)
    assert found is None if wrong is None else found is not None and wrong in found
