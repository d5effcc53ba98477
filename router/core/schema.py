"""The rules as written: what each YAML document may hold. This is the public contract.

Values are read by pydantic in one pass, into what they mean (patterns, spans, durations, phones), with the
names the document itself defines at hand (reading.py), so that wrong shapes and wrong names are found
together. Steps are in stepdocs.py, conditions in conditiondocs.py, screening in screeningdocs.py,
calendars in calendardocs.py, follow-ups in followupdocs.py.

To add a key: a field here. The docstrings of documents and fields are for those who write rules: editors and
the reference page show them (jsonschema.py, reference.py). After a change: `callrouter schema --write rules`.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, model_validator

from router.core import lengths, reading, times
from router.core.calendardocs import CalendarDoc
from router.core.conditiondocs import ConditionDoc, When
from router.core.followupdocs import Actions, FollowUpDoc
from router.core.reading import listed, reader
from router.core.screeningdocs import ListDoc, ScreeningDoc, Treatment
from router.core.stepdocs import Phone, Pronounced, Spoken, Steps, Whispered
from router.core.written import (
    Country,
    DateRule,
    DaySpans,
    FromTime,
    HoursName,
    Id,
    LanguageCode,
    MailAddress,
    MusicClass,
    OneOrMore,
    Pattern,
    PersonId,
    Shape,
    Strategy,
    Text,
    Tone,
    UntilTime,
    WebAddress,
    Weekdays,
    Zone,
    as_text,
)

DEFAULT_OFFER_FOR = times.Duration(15)
DEFAULT_CALLBACK_WITHIN = times.Duration(4 * 3600)
DEFAULT_ANNOUNCE_EVERY = times.Duration(45)
DEFAULT_KEEP = times.Duration(90 * 24 * 3600)
DEFAULT_LONGEST = times.Duration(3 * 60)
DEFAULT_SHORTEST = times.Duration(2)


class RouteDoc(Shape):
    """What a call meets: the first route whose `when` holds takes it.

    ```yaml
    - name: closed
      when: {closed: office}
      do: [{say: {file: please-try-call-later}}, hangup]
    ```
    """

    name: Text
    """What it is called in explanations, tests and `goto`; each route has its own."""
    when: When = (ConditionDoc(),)
    """Which calls it takes; without it, every call."""
    do: Steps
    """The steps, in order."""


class HoursDoc(Shape):
    """When it is open. A date outranks calendars, these a public holiday, and that the week.

    ```yaml
    office:
      week: {mon-thu: "08:00-15:30", fri: "08:00-12:00 12:30-14:00"}
      holidays: NO
      dates: {2026-12-23: "08:00-12:00", 12-24..12-31: closed}
      calendar: {file: calendars/closing-days.ics}
    ```
    """

    week: Annotated[dict[Weekdays, DaySpans], AfterValidator(reading.each_day_once)] = Field(
        default_factory=dict
    )
    """The open hours by day of the week; days not named are closed."""
    holidays: Annotated[
        tuple[Annotated[str, as_text(reader(times.read_holidays))], ...], BeforeValidator(listed)
    ] = ()
    """Whose public holidays are closed."""
    dates: dict[DateRule, DaySpans] = Field(default_factory=dict)
    """The open hours of single days, in place of all else; of ranges that overlap, the shorter one holds."""
    calendar: Annotated[tuple[CalendarDoc, ...], BeforeValidator(listed)] = ()
    """Calendars whose events close it, or open it; where events of two overlap, the one named first holds.
    Days, and times without a zone, are by the client's clocks. Cancelled events do not count, nor do those
    with a time that are shown as free."""


class ExceptionDoc(Shape):
    """What holds for a while: said before the routes' own steps or, with `do`, instead of them.

    ```yaml
    - title: Course day
      from: 2026-12-02 12:00
      until: 2026-12-02 15:30
      owner: kari
      say: {file: closed-for-a-course}
    ```
    """

    title: Text
    """What it is called in explanations and tests."""
    from_: FromTime = Field(alias="from")
    """When it begins, by the client's clocks."""
    until: Annotated[UntilTime, AfterValidator(reading.after_from)]
    """When it ends."""
    owner: Text
    """Who answers for it; free text."""
    say: Spoken | None = None
    """What every caller hears first; `say`, `do` or both must be there."""
    do: Steps | None = None
    """The steps of every call, in place of the routes'."""

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.say is None and self.do is None:
            raise ValueError("this exception does nothing; give it `say:`, `do:` or both")
        return self


class PersonDoc(Shape):
    """Somebody who can be rung.

    ```yaml
    kari:
      name: Kari Nordmann
      extension: 101
      numbers: "+47 22 33 44 61"
      rings: [PJSIP/kari, "+47 900 00 001"]
      hours: office
    ```
    """

    name: Text | None = None
    """The name in full."""
    spoken: Pronounced | None = None
    """How callers hear the name: a text that says how it is pronounced, or a recorded file; without it, the
    name is read out."""
    extension: Annotated[str, as_text(reading.read_extension)] | None = None
    """The internal number; no two people have the same. Who has a caller on the phone may transfer to it."""
    numbers: Annotated[tuple[Pattern, ...], BeforeValidator(listed)] = ()
    """Own numbers (DIDs): a call to one is this person's, before any route."""
    rings: Annotated[tuple[Phone, ...], BeforeValidator(listed)] = ()
    """The phones; they ring together."""
    hours: HoursName | None = None
    """Outside these the person is not rung; without it, always."""
    mail: Annotated[tuple[MailAddress, ...], BeforeValidator(listed)] = ()
    """Where messages for this person go."""
    skills: dict[Id, Annotated[tuple[Id, ...], BeforeValidator(listed)]] = Field(default_factory=dict)
    """What this person can, for callers of queues who need it: `{language: [vi, en], product: fiber}`."""
    do: Steps | None = None
    """What a call to this person meets; without it, the person is rung."""


class AnnounceDoc(Shape):
    """What callers hear of their waiting."""

    position: StrictBool = False
    """Which they are in the queue."""
    wait: StrictBool = False
    """How long it will probably take."""
    every: Annotated[times.Duration, as_text(lengths.read_interval)] = Field(
        default_factory=lambda: DEFAULT_ANNOUNCE_EVERY,
        json_schema_extra={"default": str(DEFAULT_ANNOUNCE_EVERY)},
    )
    """How often."""


class TierDoc(Shape):
    """Agents who help out.

    ```yaml
    after: 60s
    agents: [per, pia]
    ```
    """

    after: Annotated[times.Duration, as_text(lengths.read_wait_for)]
    """How long a caller has waited before they are rung for the call."""
    agents: Annotated[tuple[PersonId, ...], *OneOrMore]
    """People."""


class QueueDoc(Shape):
    """Callers who wait, and the agents who answer them.

    ```yaml
    reception:
      agents: [kari, ola]
      strategy: longest-idle
      wrap_up: 20s
      announce: {position: true, every: 45s}
    ```
    """

    agents: Annotated[tuple[PersonId, ...], *OneOrMore]
    """People; those who have hours are agents within them."""
    tiers: Annotated[tuple[TierDoc, ...], BeforeValidator(listed)] = ()
    """Further agents, who are rung for callers who have waited for so long."""
    strategy: Strategy = "longest-idle"
    """Who is rung: `ring-all` at once; who has been idle longest; in turn (`round-robin`); who had the fewest
    calls; in the order written, beginning with the first each time (`in-order`); or at random."""
    ring_for: Annotated[times.Duration, as_text(lengths.read_ring_for)] = Field(
        default_factory=lambda: DEFAULT_OFFER_FOR, json_schema_extra={"default": str(DEFAULT_OFFER_FOR)}
    )
    """How long an agent is rung before the next one is."""
    wrap_up: Annotated[times.Duration, as_text(lengths.read_pause)] = Field(
        default_factory=lambda: times.Duration(0), json_schema_extra={"default": "0s"}
    )
    """How long an agent is left alone after a call."""
    pause_after: Annotated[int, as_text(reading.read_missed)] | None = None
    """An agent who leaves so many calls in a row unanswered is paused, and rung no more until they are back.
    Without it, nobody is."""
    whisper: Whispered | None = None
    """What an agent who answers hears before the caller; a recorded file, or a text, in which `{client}`
    stands for the client's name, `{name}` for the caller's, if it is a contact, else for the number,
    `{caller}` for the caller's number and `{waited}` for how long the caller has waited."""
    max_waiting: Annotated[int, as_text(reading.read_places)] | None = None
    """So many callers wait at most, counting those for whom an agent is rung; for one more it is `full`.
    Without it, any number."""
    announce: AnnounceDoc = AnnounceDoc()
    """What callers are told while they wait."""
    callback_key: Annotated[str, as_text(reading.read_callback_key)] | None = None
    """The key by which a caller waits no longer on the line, but keeps the place and is called back: at the
    caller's turn an agent is rung, and then the caller. Without it, there is none."""
    callback_within: Annotated[times.Duration, as_text(lengths.read_callback_within)] = Field(
        default_factory=lambda: DEFAULT_CALLBACK_WITHIN,
        json_schema_extra={"default": str(DEFAULT_CALLBACK_WITHIN)},
    )
    """How long after coming to wait. Whom nobody has called back by then is left to those who read messages.
    """
    music: MusicClass = "default"
    """The class of music on hold, of Asterisk's musiconhold.conf."""
    supervisors: Annotated[tuple[PersonId, ...], BeforeValidator(listed)] = ()
    """People who may, from their own phones, hear the talks that this queue gives to agents, whisper to the
    agents and barge in (README, feature codes). Without any, nobody may."""


def agents_of(doc: QueueDoc) -> tuple[str, ...]:
    """All agents of a queue, those of its tiers last."""
    later = (agent for tier in doc.tiers for agent in tier.agents)
    return tuple(dict.fromkeys((*doc.agents, *later)))


class MessagesDoc(Shape):
    """What holds for all messages and wishes to be called back.

    ```yaml
    messages: {mail: post@fjord.example, webhook: "https://crm.example/calls", keep: 30d}
    ```
    """

    mail: Annotated[tuple[MailAddress, ...], BeforeValidator(listed)] = ()
    """Where those go that are for nobody with an address."""
    webhook: WebAddress | None = None
    """Where all of them are posted."""
    keep: Annotated[times.Duration, as_text(lengths.read_keep)] = Field(
        default_factory=lambda: DEFAULT_KEEP, json_schema_extra={"default": str(DEFAULT_KEEP)}
    )
    """How long they are kept here."""
    longest: Annotated[times.Duration, as_text(lengths.read_message_length)] = Field(
        default_factory=lambda: DEFAULT_LONGEST, json_schema_extra={"default": str(DEFAULT_LONGEST)}
    )
    """How long a message may be,"""
    shortest: Annotated[times.Duration, as_text(lengths.read_message_length)] = Field(
        default_factory=lambda: DEFAULT_SHORTEST, json_schema_extra={"default": str(DEFAULT_SHORTEST)}
    )
    """and how long somebody must speak in it; with less, nothing was left."""


class TagDoc(Shape):
    """A tag of your own, or what is otherwise of one that ships or is shared; what is left out stays.

    ```yaml
    viewing_booked: {label: {en: Viewing booked, nb: Visning avtalt}, code: 12}
    callback: {label: {en: Ring back}}
    deal_closed: {hidden: true}
    ```
    """

    label: dict[LanguageCode, Text] = Field(default_factory=dict)
    """What people see, by language. Those that ship have a name in each language of the product; others are
    shown in English for want of one, or as they are written here."""
    code: Annotated[str, as_text(reading.read_code)] | None = None
    """What an agent dials after `*` to put the tag on the call they had last."""
    hidden: StrictBool = False
    """Not offered to people, also by its code. Calls that have it keep it, and `tag` steps may put it there.
    """
    do: Actions | None = None
    """What is to be done after a call that has the tag, once a call: a follow-up that is called `tag NAME`.
    """


class ClientDoc(Shape):
    """One client's file.

    ```yaml
    client: fjord
    name: Fjord Legesenter
    numbers: "+47 22 33 44 55"
    timezone: Europe/Oslo
    country: NO
    routes: [{name: main, do: {ring: PJSIP/100}}]
    ```
    """

    client: Id
    """The client's id; no two files have the same."""
    name: Text
    """The client's name, for people."""
    numbers: Annotated[tuple[Pattern, ...], BeforeValidator(listed)] = ()
    """The numbers that reach the client; no two clients can have the same."""
    timezone: Zone
    """Whose clocks the hours and dates here go by."""
    country: Country
    """How national numbers are read, and where the trunk may dial unless the settings say otherwise."""
    language: LanguageCode = "en"
    """The language that callers are spoken to in."""
    tone: Tone = "formal"
    """How callers are addressed."""
    greeting: Spoken | None = None
    """What callers hear first who are not refused, or handed on unanswered."""
    while_ringing: Literal["ringing", "music"] = "ringing"
    """What callers hear while phones ring. For `music` they are answered, and may pay, before anybody is
    there."""
    music: MusicClass = "default"
    """Which music: a class of Asterisk's musiconhold.conf that has files to play."""
    hours: dict[Id, HoursDoc] = Field(default_factory=dict)
    """When it is open, by a name of your own, for `open`, `closed` and people's `hours`."""
    exceptions: tuple[ExceptionDoc, ...] = ()
    """What holds for a while and outranks the routes."""
    screening: ScreeningDoc = ScreeningDoc()
    """Who is refused."""
    people: dict[Id, PersonDoc] = Field(default_factory=dict)
    """Who can be rung, by an id of your own."""
    people_from: Text | None = None
    """A table of more people, who are among `people` when this is read (peopletable.py)."""
    queues: dict[Id, QueueDoc] = Field(default_factory=dict)
    """Where callers wait for an agent, by an id of your own."""
    messages: MessagesDoc = MessagesDoc()
    """What becomes of messages that callers leave."""
    tags: dict[Id, TagDoc] = Field(default_factory=dict)
    """Tags of the client's own, and its own words for others."""
    follow_ups: tuple[FollowUpDoc, ...] = ()
    """What is to be done after calls."""
    routes: tuple[RouteDoc, ...] = ()
    """What calls meet: the first that matches takes the call."""
    last_resort: Steps | None = None
    """The steps for a call that nobody has answered, where its own run out; without it, the caller hears in
    the client's language that nobody can take the call."""


class DefaultScreeningDoc(Shape):
    """What clients may leave out of their `screening`."""

    treatment: Treatment
    """What callers meet who are refused."""


class DefaultsDoc(Shape):
    """What holds for every client whose own file does not say otherwise."""

    timezone: Zone | None = None
    """Whose clocks hours and dates go by."""
    country: Country | None = None
    """How national numbers are read."""
    language: LanguageCode | None = None
    """The language that callers are spoken to in."""
    tone: Tone | None = None
    """How callers are addressed."""
    screening: DefaultScreeningDoc | None = None
    """How callers are refused."""
    follow_ups: tuple[FollowUpDoc, ...] | None = None
    """What is to be done after calls; without people, queues, hours and clients' own tags."""
    last_resort: Steps | None = None
    """The steps for a call that nobody has answered, where its own run out; without people and routes."""


SHARED_FILE = "shared.yaml"
SHAREABLE = frozenset(DefaultsDoc.model_fields)
"""Keys that a client's file may leave to SHARED_FILE."""


class SharedDoc(Shape):
    """What clients share."""

    lists: dict[Id, ListDoc] = Field(default_factory=dict)
    """Numbers, by name. National ones are read in the default country; those of tables in each client's."""
    tags: dict[Id, TagDoc] = Field(default_factory=dict)
    """Tags that every client has, and other words for those that ship."""
    defaults: DefaultsDoc = DefaultsDoc()
    """What a client's own file may leave out."""
