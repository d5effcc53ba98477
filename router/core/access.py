"""Tokens: what programs show that ask the router over HTTP, and what those who show one may do.

The token itself is a long random text that only its owner has. What is kept of it is its SHA-256 hash: a slow
hash (argon2) protects passwords, which people choose and others guess; nobody guesses 256 random bits.
"""

import hashlib
from datetime import datetime
from enum import StrEnum

import msgspec

PREFIX = "cr_"
"""How tokens begin, so that whoever finds one, such as a scanner of source texts, knows what it is."""

RANDOM_BYTES = 32


class Role(StrEnum):
    """What the owner of a token may do; each may also do what those before it may."""

    READER = "reader"
    """sees calls, queues, agents, messages and what is decided of numbers"""
    AGENT = "agent"
    """logs one person in and out, pauses and resumes, tags the calls that they had, has called back whom they
    were to"""
    SUPERVISOR = "supervisor"
    """does so for all, corrects dispositions, deals with messages, contacts and numbers"""
    ADMIN = "admin"
    """has the rules read again"""

    def covers(self, other: "Role") -> bool:
        """Whether it may do what the other may."""
        return _RANKS[self] >= _RANKS[other]


_RANKS = {role: rank for rank, role in enumerate(Role)}


class Token(msgspec.Struct, frozen=True):
    """What is known of one token. `made_by` and `revoked_by` are users of the machine."""

    name: str
    """Whose it is, or what for; no two tokens that hold have the same."""
    role: Role
    client: str | None
    """The only client that it is for; None: all."""
    person: str | None
    """The only person that it changes anything of; None: whomever the role may."""
    hash: str
    made_at: datetime
    made_by: str
    until: datetime | None = None
    """None: until it is revoked."""
    revoked_at: datetime | None = None
    revoked_by: str | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it opens anything."""
        return self.revoked_at is None and (self.until is None or now < self.until)

    def sees(self, client: str | None) -> bool:
        """Whether it is for that client's calls; None are the calls to numbers of nobody."""
        return self.client is None or self.client == client

    def may_change(self, client: str, person: str) -> bool:
        """Whether it is for that person's work."""
        whose = self.person is not None and self.person == person
        return self.sees(client) and (whose or self.role.covers(Role.SUPERVISOR))


def hash_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()


def what_is_wrong(role: Role, client: str | None, person: str | None) -> str | None:
    """Why there can be no such token, and what to write instead; None where there can."""
    if role is Role.AGENT and not (client and person):
        return "an agent's token is for one person; write --client ID and --person ID"
    if role is not Role.AGENT and person:
        return f"a token for one person has the role agent; leave --person out, or write --role {Role.AGENT}"
    if role is Role.ADMIN and client:
        return "the rules of all clients are read together; leave --client out, or write another --role"
    return None
