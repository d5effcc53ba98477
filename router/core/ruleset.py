"""RuleSet: the rules of all clients, ready to decide by. It is whole when loaded and never changes.

What rules have many of is made from its parts and frozen, so nothing of it can be in a circle, and the
garbage collector need not look at it: that is said by `gc=False`, here and where the parts are. Calls wait a
third as long for the collector to go over what is new after a load.
"""

from collections.abc import Mapping

import msgspec

from router.core.conditions import Between, Condition, Moment, When, failures
from router.core.dialling import Dialling
from router.core.followups import FollowUps
from router.core.hours import Hours
from router.core.keypad import Index
from router.core.layout import Layout
from router.core.numbers import NumberIndex, NumberPattern, PhoneNumber
from router.core.plan import PlanNode, Prompt, QueueRules, Speak, Target
from router.core.remarks import RuleWarning
from router.core.screening import Screening
from router.core.tagging import TAGS_THAT_SHIP
from router.core.tags import Code, Tag
from router.core.trace import TraceRow


class Route(msgspec.Struct, frozen=True, gc=False):
    """A route of a client, or the treatment of one person's own numbers (whose `when` is empty: always).

    Build it with `of`. What a trace says lies ready: making such rows anew in each decision takes time.
    """

    name: str
    place: str
    """`file:line`, here and below."""
    when: When
    layout: Layout
    taken: TraceRow
    """What a trace says where it takes the call,"""
    passed_over: tuple[tuple[Condition, TraceRow], ...]
    """and where it does not, by which condition of its only alternative fails first; empty for several."""

    @classmethod
    def of(cls, name: str, place: str, when: When, layout: Layout) -> "Route":
        """From the rules as read."""
        taken = TraceRow("route", name, place, True)
        only = when[0] if len(when) == 1 else ()
        passed_over = tuple(
            (condition, TraceRow("route", name, place, False, (condition.failure,))) for condition in only
        )
        return cls(name, place, when, layout, taken, passed_over)

    def look(self, moment: Moment) -> TraceRow:
        """What a trace says of it, for one call."""
        if len(self.when) != 1:
            failed = failures(self.when, moment)
            return TraceRow("route", self.name, self.place, False, failed) if failed else self.taken
        for condition, passed_over in self.passed_over:
            if not condition.holds(moment):
                return passed_over
        return self.taken


class ExceptionRule(msgspec.Struct, frozen=True):
    """What holds for a while."""

    title: str
    owner: str
    place: str
    when: Between
    say: PlanNode | None
    """Said before its own steps, or before those of the route."""
    layout: Layout | None
    """Its own steps; None where the routes go on."""


class PersonRules(msgspec.Struct, frozen=True):
    """What is known of a person."""

    place: str
    hours: str | None
    own: Route | None
    """Where a call to one of the person's own numbers goes."""
    treatment: Layout | None = None
    """What that, or who chooses the person in a directory, meets; None where nobody comes to it."""
    name: str = ""
    """In full, for a directory."""
    said: tuple[Prompt, ...] = ()
    """How callers hear it there; empty of who is in none."""
    extension: str = ""
    phones: tuple[Target, ...] = ()
    skills: Mapping[str, tuple[str, ...]] = {}
    """What the person can, for callers of queues who need it."""
    by_transfer: Layout | None = None
    """The treatment of one whom only callers come to who are transferred; None where none is written."""


class OwnNumber(msgspec.Struct, frozen=True, gc=False):
    """A number that a client has, as written."""

    pattern: NumberPattern
    place: str
    person: str | None
    """Whose own it is, if it is one's."""


class FeedUse(msgspec.Struct, frozen=True):
    """A calendar of the web that hours go by."""

    hours: str
    url: str
    missing: RuleWarning | None
    """Why the hours are as without it; None where there is a copy."""


class ClientRules(msgspec.Struct, frozen=True):
    id: str
    name: str
    place: str
    timezone: str
    country: str
    """ISO 3166 code: how its national numbers, and its callers', are read."""
    numbers: tuple[OwnNumber, ...]
    """The client's in file order, then its people's; `RuleSet.numbers` says whose call it is."""
    hours: Mapping[str, Hours]
    feeds: tuple[FeedUse, ...]
    exceptions: tuple[ExceptionRule, ...]
    screening: Screening
    people: Mapping[str, PersonRules]
    directory: Index
    """Those of the people whom its directory finds, if it has one."""
    queues: Mapping[str, QueueRules]
    supervisors: Mapping[str, tuple[str, ...]]
    """Ids of the people who may supervise the talks of a queue."""
    tags: Mapping[str, Tag]
    """All that it has: those that ship, those that all clients share, its own."""
    codes: Mapping[str, Code]
    """What agents key in for tags."""
    routes: tuple[Route, ...]
    no_route: Layout
    """For calls that no route takes."""
    follow_ups: FollowUps = FollowUps()
    """What is to be done after its calls."""
    take: Speak | None = None
    """What somebody outside hears who is to press 1 to take a caller whom a phone transfers there; None where
    there is no trunk."""
    language: str = "en"
    """The language that callers are spoken to in."""


class Owner(msgspec.Struct, frozen=True):
    """Whose number it is: a client's, or of one of its people."""

    client: str
    person: str | None = None


class RuleSet(msgspec.Struct, frozen=True):
    """All rules in use."""

    version: str
    """Changes with every change of the texts; short hex."""
    clients: Mapping[str, ClientRules]
    numbers: NumberIndex[Owner]
    countries: tuple[str, ...]
    """Those of all clients, sorted: a number that two of them could have is the same one's always."""
    dialling: Dialling = Dialling()
    """Where callers may be called back, or transferred."""
    warnings: tuple[RuleWarning, ...] = ()
    tags: Mapping[str, Tag] = TAGS_THAT_SHIP
    """Those that all clients have."""

    def tags_of(self, client: str | None) -> Mapping[str, Tag]:
        """The tags of a client; of one that is not known, or of nobody, those that all clients have."""
        known = self.clients.get(client) if client else None
        return known.tags if known else self.tags

    def country_for(self, client: str | None) -> str | None:
        """In which numbers are read that are written without +: that client's, or the one that all have in
        common; None where there is no such."""
        countries = self.countries if client is None else (self.clients[client].country,)
        return countries[0] if len(countries) == 1 else None

    def read_number(self, text: str, client: str | None) -> PhoneNumber:
        """A number as people write it, read in `country_for` the client. ValueError says what to write."""
        return PhoneNumber.parse(text, self.country_for(client))
