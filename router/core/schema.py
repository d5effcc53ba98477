"""The rules as written: what each YAML document may hold. This is the public contract.

Values are read by pydantic in one pass, into what they mean (patterns, spans, durations, phones), with the
names the document itself defines at hand (reading.py), so that wrong shapes and wrong names are found
together.

To add a key: a field here, and its name out of `NOT_YET`. To add a step: its model here, a row in `STEPS` and
in `Step`, and its row in layout.py. To add a condition: a field of `ConditionDoc`, and its row in
conditions.py. The docstrings of documents and fields are for those who write rules: editors and the reference
page show them (jsonschema.py, reference.py). After a change: `callrouter schema --write rules`.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    StrictBool,
    Tag,
    model_validator,
)
from pydantic import ValidationInfo as Info

from router.core import reading, times
from router.core.numbers import NumberPattern
from router.core.plan import RingOutcome, Target
from router.core.reading import PersonRef, listed, reader

_LATER = """
    agents announce callback challenge confirm contact contacts directory front
    greeting menu message queue queues set tag tags
"""
NOT_YET = frozenset(_LATER.split())
"""Keys of the contract that this version has not, there where it has them not."""

DEFAULT_RING_FOR = times.Duration(25)
DEFAULT_LAST_RESORT = ("im-sorry", "please-try-call-later")
"""Sounds of Asterisk's core set, said where a call has met nobody and `last_resort` is not written."""


class Shape(BaseModel):
    """A mapping whose keys are all known."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, use_attribute_docstrings=True
    )


def as_text(read: Any) -> PlainValidator:
    """For a field that is text when written, and is read by `read`."""
    return PlainValidator(read, json_schema_input_type=str)


Text = Annotated[str, as_text(reading.text_of)]
VariableName = Annotated[str, as_text(reading.read_variable_name)]
Id = Annotated[str, as_text(reading.read_id)]
HoursName = Annotated[str, as_text(reading.read_hours_name)]
Pattern = Annotated[NumberPattern, as_text(reading.read_pattern)]
BlockedPattern = Annotated[NumberPattern, as_text(reading.read_blocked_pattern)]
OutsideNumber = Annotated[Target, as_text(reading.read_outside_number)]
DaySpans = Annotated[times.Spans, as_text(reader(times.read_spans))]
Weekdays = Annotated[tuple[int, ...], as_text(reader(times.read_weekdays))]
FromTime = Annotated[datetime, as_text(reader(times.read_from))]
UntilTime = Annotated[datetime, as_text(reader(times.read_until))]
DateRule = Annotated[times.Dates | times.YearDays, as_text(reader(times.read_dates))]
Country = Annotated[str, as_text(reading.read_country)]
Zone = Annotated[ZoneInfo, as_text(reader(times.read_zone))]
Tone = Literal["formal", "informal"]
OneOrMore = BeforeValidator(listed), Field(min_length=1)


class NumberDoc(Shape):
    """An outside number to ring, as in `{number: "+47 900 00 001"}`."""

    number: OutsideNumber
    """The number."""


Phone = Annotated[
    Annotated[Annotated[Target, as_text(reading.read_phone)], Tag("<text>")]
    | Annotated[NumberDoc, Tag("<mapping>")],
    Discriminator(reading.form_of),
]
RingTarget = Annotated[
    Annotated[Annotated[Target | PersonRef, as_text(reading.read_ring_target)], Tag("<text>")]
    | Annotated[NumberDoc, Tag("<mapping>")],
    Discriminator(reading.form_of),
]


class SayFile(Shape):
    """A recorded file, as in `{file: hello}`."""

    file: Annotated[str, as_text(reading.read_media)]
    """Its name."""


class SayStep(Shape):
    """The caller hears something, and the call goes on to the next step.

    ```yaml
    - say: {file: hello}
    ```
    """

    say: Annotated[SayFile, BeforeValidator(reading.read_spoken)]
    """What is heard."""


class RingStep(Shape):
    """Phones ring, and the first that answers has the call. If none does, the call goes on to the next step.

    ```yaml
    - ring: [kari, PJSIP/100, "+47 900 00 001"]
      order: in-turn
      for: 20s
      on: {busy: [{say: {file: one-moment-please}}]}
    ```
    """

    ring: Annotated[tuple[RingTarget, ...], BeforeValidator(listed)]
    """Who is rung."""
    order: Literal["all", "in-turn", "rotate"] = "all"
    """`all` at once, or `in-turn`, one after the other; `rotate` is in turn, and each call begins one further
    on."""
    ring_for: Annotated[times.Duration, as_text(reading.read_ring_for)] = Field(
        alias="for",
        default_factory=lambda: DEFAULT_RING_FOR,
        json_schema_extra={"default": str(DEFAULT_RING_FOR)},
    )
    """How long it rings; in turn, each of them."""
    on: dict[RingOutcome, "Steps"] = {}
    """Steps to take first, by why nobody answered; after them the call goes on to the next step."""


class DeclineStep(Shape):
    """The call is refused unanswered. The name alone will do.

    ```yaml
    - decline: busy
    ```
    """

    decline: Literal["decline", "busy"] | None
    """`busy` sounds engaged to the caller; without a value, the call is declined."""

    @property
    def treatment(self) -> Literal["decline", "busy"]:
        return self.decline or "decline"


class HangupStep(Shape):
    """The call ends. The name is the whole step.

    ```yaml
    - hangup
    ```
    """

    hangup: None
    """Has no value."""


class PersonStep(Shape):
    """The person's own treatment, and then on.

    ```yaml
    - person: kari
    ```
    """

    person: Annotated[str, as_text(reading.read_person)]
    """Whose treatment."""


class GotoStep(Shape):
    """That route's steps, whatever its `when`; there is no way back.

    ```yaml
    - goto: main
    ```
    """

    goto: Annotated[str, as_text(reading.read_route)]
    """Which route."""


class DialplanDoc(Shape):
    """A place in Asterisk's dialplan; priority 1 is meant."""

    context: Annotated[str, as_text(reading.read_context)]
    """The context, as in extensions.conf."""
    extension: Annotated[str, as_text(reading.read_dialplan_extension)]
    """The extension in it."""


class DialplanStep(Shape):
    """Hand the call to Asterisk's dialplan, for good.

    ```yaml
    - dialplan: {context: fax, extension: 100}
    ```
    """

    dialplan: DialplanDoc
    """Where it goes."""


STEPS: dict[str, type[Shape]] = {
    "say": SayStep,
    "ring": RingStep,
    "person": PersonStep,
    "goto": GotoStep,
    "dialplan": DialplanStep,
    "decline": DeclineStep,
    "hangup": HangupStep,
}


def _whole_step(value: object) -> object:
    return reading.bare_step(value, STEPS, NOT_YET)


def _step_tag(value: Any) -> str:
    return next(f"<{key}>" for key in value if key in STEPS)


Step = Annotated[
    Annotated[SayStep, Tag("<say>")]
    | Annotated[RingStep, Tag("<ring>")]
    | Annotated[PersonStep, Tag("<person>")]
    | Annotated[GotoStep, Tag("<goto>")]
    | Annotated[DialplanStep, Tag("<dialplan>")]
    | Annotated[DeclineStep, Tag("<decline>")]
    | Annotated[HangupStep, Tag("<hangup>")],
    Discriminator(_step_tag),
    BeforeValidator(_whole_step),
]
Steps = Annotated[tuple[Step, ...], BeforeValidator(listed)]


class CountriesDoc(Shape):
    """Callers from a country, as in `{country: [NO, SE]}`."""

    country: Annotated[tuple[Country, ...], *OneOrMore]
    """The countries; one is enough."""


class AttestationDoc(Shape):
    """How far the caller's number was vouched for (STIR/SHAKEN), as the dialplan's variable says."""

    attestation: Annotated[tuple[Literal["A", "B", "C"], ...], *OneOrMore]
    """A: for this caller with this number; B: for the caller; C: only where the call came in (RFC 8588)."""


def _caller_form(value: object) -> str:
    if isinstance(value, dict) and "attestation" in value:
        return "<attestation>"
    return reading.form_of(value)


def _read_caller(value: object, info: Info) -> NumberPattern | Literal["anonymous"]:
    """Caller: a number or a number pattern, or `anonymous` for a number that is withheld or unknown."""
    return "anonymous" if value == "anonymous" else reading.read_pattern(value, info)


CallerDoc = Annotated[
    Annotated[Annotated[NumberPattern | Literal["anonymous"], as_text(_read_caller)], Tag("<text>")]
    | Annotated[CountriesDoc, Tag("<mapping>")]
    | Annotated[AttestationDoc, Tag("<attestation>")],
    Discriminator(_caller_form),
]


class ConditionDoc(Shape):
    """All keys hold together; the values of a list are alternatives.

    ```yaml
    when: {closed: office, not: {caller: ["+47 22*", {country: SE}]}}
    ```
    """

    open: Annotated[tuple[HoursName, ...], *OneOrMore] | None = None
    """It is within these hours."""
    closed: Annotated[tuple[HoursName, ...], *OneOrMore] | None = None
    """It is outside these hours."""
    caller: Annotated[tuple[CallerDoc, ...], *OneOrMore] | None = None
    """Who calls."""
    dialled: Annotated[tuple[Pattern, ...], *OneOrMore] | None = None
    """The number that was called."""
    between: Annotated[tuple[FromTime, UntilTime], AfterValidator(reading.forward)] | None = None
    """It is between these two moments, by the client's clocks."""
    variable: (
        Annotated[dict[VariableName, Annotated[tuple[Text, ...], *OneOrMore]], Field(min_length=1)] | None
    ) = None
    """What the dialplan handed over: the variable's name, and the values that will do."""
    not_: "When | None" = Field(None, alias="not")
    """The condition here does not hold."""


When = Annotated[tuple[ConditionDoc, ...], *OneOrMore]


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
    """When it is open. A date outranks a public holiday, and that the week.

    ```yaml
    office:
      week: {mon-thu: "08:00-15:30", fri: "08:00-12:00 12:30-14:00"}
      holidays: NO
      dates: {2026-12-23: "08:00-12:00", 12-24..12-31: closed}
    ```
    """

    week: Annotated[dict[Weekdays, DaySpans], AfterValidator(reading.each_day_once)] = {}
    """The open hours by day of the week; days not named are closed."""
    holidays: Annotated[
        tuple[Annotated[str, as_text(reader(times.read_holidays))], ...], BeforeValidator(listed)
    ] = ()
    """Whose public holidays are closed."""
    dates: dict[DateRule, DaySpans] = {}
    """The open hours of single days, in place of all else; of ranges that overlap, the shorter one holds."""


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
    until: UntilTime
    """When it ends."""
    owner: Text
    """Who answers for it; free text."""
    say: Annotated[SayFile, BeforeValidator(reading.read_spoken)] | None = None
    """What every caller hears first; `say`, `do` or both must be there."""
    do: Steps | None = None
    """The steps of every call, in place of the routes'."""

    @model_validator(mode="after")
    def _ends(self) -> Self:
        reading.forward((self.from_, self.until))
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
    extension: Annotated[str, as_text(reading.read_extension)] | None = None
    """The internal number; no two people have the same."""
    numbers: Annotated[tuple[Pattern, ...], BeforeValidator(listed)] = ()
    """Own numbers (DIDs): a call to one is this person's, before any route."""
    rings: Annotated[tuple[Phone, ...], BeforeValidator(listed)] = ()
    """The phones; they ring together."""
    hours: HoursName | None = None
    """Outside these the person is not rung; without it, always."""
    do: Steps | None = None
    """What a call to this person meets; without it, the person is rung."""


class FileList(Shape):
    """The numbers of a table beside the rules."""

    file: Annotated[str, as_text(reading.read_list_file)]
    """One number a line, a CSV with a column of numbers, or PhoneBlock's export."""
    min_votes: Annotated[int, as_text(reading.read_votes)] = 0
    """Numbers with fewer votes, where the table has votes, are left out."""


class ListRef(Shape):
    """The numbers of a list in shared.yaml."""

    list: Annotated[str, as_text(reading.read_list_name)]
    """The list's name there."""


ListEntry = Annotated[
    Annotated[BlockedPattern, Tag("<text>")]
    | Annotated[FileList, Tag("<mapping>")]
    | Annotated[ListRef, Tag("<list>")],
    Discriminator(reading.entry_form),
]
SharedEntry = Annotated[
    Annotated[BlockedPattern, Tag("<text>")] | Annotated[FileList, Tag("<mapping>")],
    Discriminator(reading.form_of),
]


class BlockDoc(Shape):
    """Callers who are refused: all that is written in a rule must hold.

    ```yaml
    - name: telemarketers
      numbers: ["+47 81 54 9x xx", "+47 815 00 000"]
    - name: hammering
      more_than: 5 calls in 10m
    ```
    """

    name: Text
    """What is written down as the reason; each rule has its own."""
    numbers: Annotated[tuple[ListEntry, ...], *OneOrMore] | None = None
    """Who."""
    when: When = (ConditionDoc(),)
    """Under which conditions."""
    more_than: Annotated[times.Rate, as_text(reader(times.Rate.parse))] | None = None
    """`5 calls in 10m` of one caller to this client, this call included."""
    until: UntilTime | None = None
    """The rule ends by itself; a day alone is its end."""
    shadow: StrictBool = False
    """Count the hits, and let the callers pass: to try a rule out."""

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if self.numbers is None and self.more_than is None and ConditionDoc() in self.when:
            raise ValueError("this refuses every caller; give it `numbers:`, `when:` or `more_than:`")
        return self


class SayTreatment(Shape):
    """Something is said, and then the call ends."""

    say: Annotated[SayFile, BeforeValidator(reading.read_spoken)]
    """What is heard."""


Treatment = Annotated[
    Annotated[Literal["decline", "busy"], Tag("<text>")] | Annotated[SayTreatment, Tag("<mapping>")],
    Discriminator(reading.form_of),
]


class ScreeningDoc(Shape):
    """Who is refused, before any route.

    ```yaml
    screening:
      allow: "+47 22*"
      block: [{name: telemarketers, numbers: ["+47 81 54 9x xx"]}]
      treatment: {say: {file: im-sorry}}
    ```
    """

    allow: Annotated[tuple[ListEntry, ...], BeforeValidator(listed)] = ()
    """Callers who are never refused: this outranks every `block`."""
    block: tuple[BlockDoc, ...] = ()
    """The rules by which callers are refused."""
    treatment: Treatment = "decline"
    """What they meet."""


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
    language: Text = "en"
    """The language that callers are spoken to in."""
    tone: Tone = "formal"
    """How callers are addressed."""
    hours: dict[Id, HoursDoc] = {}
    """When it is open, by a name of your own, for `open`, `closed` and people's `hours`."""
    exceptions: tuple[ExceptionDoc, ...] = ()
    """What holds for a while and outranks the routes."""
    screening: ScreeningDoc = ScreeningDoc()
    """Who is refused."""
    people: dict[Id, PersonDoc] = {}
    """Who can be rung, by an id of your own."""
    people_from: Text | None = None
    """A table of more people, who are among `people` when this is read (peopletable.py)."""
    routes: tuple[RouteDoc, ...] = ()
    """What calls meet: the first that matches takes the call."""
    last_resort: Steps = tuple(SayStep(say=SayFile(file=sound)) for sound in DEFAULT_LAST_RESORT)
    """The steps for a call that nobody has answered, where its own run out."""


class NumbersDoc(Shape):
    """A list whose numbers are written here, or come from several tables."""

    numbers: Annotated[tuple[SharedEntry, ...], *OneOrMore]
    """Numbers, number patterns and tables."""


ListDoc = Annotated[
    Annotated[NumbersDoc, Tag("<numbers>")] | Annotated[FileList, Tag("<file>")],
    Discriminator(reading.list_form),
]


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
    language: Text | None = None
    """The language that callers are spoken to in."""
    tone: Tone | None = None
    """How callers are addressed."""
    screening: DefaultScreeningDoc | None = None
    """How callers are refused."""
    last_resort: Steps | None = None
    """The steps for a call that nobody has answered, where its own run out; without people and routes."""


SHARED_FILE = "shared.yaml"
SHAREABLE = frozenset(DefaultsDoc.model_fields)
"""Keys that a client's file may leave to SHARED_FILE."""


class SharedDoc(Shape):
    """What clients share."""

    lists: dict[Id, ListDoc] = {}
    """Numbers, by name. National ones are read in the default country; those of tables in each client's."""
    defaults: DefaultsDoc = DefaultsDoc()
    """What a client's own file may leave out."""
