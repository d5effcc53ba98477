"""The rules as written: what each YAML document may hold. This is the public contract.

Values are read by pydantic in one pass, into what they mean (patterns, spans, durations, phones), with the
names the document itself defines at hand (reading.py), so that wrong shapes and wrong names are found
together.

To add a key: a field here, and its name out of `NOT_YET`. To add a step: its model here, a row in `STEPS` and
in `Step`, and its row in layout.py. To add a condition: a field of `ConditionDoc`, and its row in
conditions.py.
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

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


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
    """An outside number to ring; the mapping has room for how."""

    number: OutsideNumber


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
    file: Annotated[str, as_text(reading.read_media)]


class SayStep(Shape):
    say: Annotated[SayFile, BeforeValidator(reading.read_spoken)]


class RingStep(Shape):
    ring: Annotated[tuple[RingTarget, ...], BeforeValidator(listed)]
    order: Literal["all", "in-turn", "rotate"] = "all"
    """`rotate` is in turn, and each call begins one further on."""
    ring_for: Annotated[times.Duration, as_text(reading.read_ring_for)] = Field(
        alias="for",
        default_factory=lambda: DEFAULT_RING_FOR,
        json_schema_extra={"default": str(DEFAULT_RING_FOR)},
    )
    """For each round."""
    on: dict[RingOutcome, "Steps"] = {}


class DeclineStep(Shape):
    decline: Literal["decline", "busy"] | None

    @property
    def treatment(self) -> Literal["decline", "busy"]:
        return self.decline or "decline"


class HangupStep(Shape):
    hangup: None


class PersonStep(Shape):
    """The person's own treatment, and then on."""

    person: Annotated[str, as_text(reading.read_person)]


class GotoStep(Shape):
    """That route's steps, whatever its `when`; there is no way back."""

    goto: Annotated[str, as_text(reading.read_route)]


class DialplanDoc(Shape):
    context: Annotated[str, as_text(reading.read_context)]
    extension: Annotated[str, as_text(reading.read_dialplan_extension)]


class DialplanStep(Shape):
    """Hand the call to Asterisk's dialplan, for good."""

    dialplan: DialplanDoc


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
    country: Annotated[tuple[Country, ...], *OneOrMore]


class AttestationDoc(Shape):
    """How far the caller's number was vouched for (STIR/SHAKEN), as the dialplan's variable says."""

    attestation: Annotated[tuple[Literal["A", "B", "C"], ...], *OneOrMore]


def _caller_form(value: object) -> str:
    if isinstance(value, dict) and "attestation" in value:
        return "<attestation>"
    return reading.form_of(value)


def _read_caller(value: object, info: Info) -> NumberPattern | Literal["anonymous"]:
    return "anonymous" if value == "anonymous" else reading.read_pattern(value, info)


CallerDoc = Annotated[
    Annotated[Annotated[NumberPattern | Literal["anonymous"], as_text(_read_caller)], Tag("<text>")]
    | Annotated[CountriesDoc, Tag("<mapping>")]
    | Annotated[AttestationDoc, Tag("<attestation>")],
    Discriminator(_caller_form),
]


class ConditionDoc(Shape):
    """All keys hold together; the values of a list are alternatives."""

    open: Annotated[tuple[HoursName, ...], *OneOrMore] | None = None
    closed: Annotated[tuple[HoursName, ...], *OneOrMore] | None = None
    caller: Annotated[tuple[CallerDoc, ...], *OneOrMore] | None = None
    dialled: Annotated[tuple[Pattern, ...], *OneOrMore] | None = None
    between: Annotated[tuple[FromTime, UntilTime], AfterValidator(reading.forward)] | None = None
    variable: (
        Annotated[dict[VariableName, Annotated[tuple[Text, ...], *OneOrMore]], Field(min_length=1)] | None
    ) = None
    """What the dialplan handed over: the variable's name, and the values that will do."""
    not_: "When | None" = Field(None, alias="not")


When = Annotated[tuple[ConditionDoc, ...], *OneOrMore]


class RouteDoc(Shape):
    name: Text
    when: When = (ConditionDoc(),)
    do: Steps


class HoursDoc(Shape):
    week: Annotated[dict[Weekdays, DaySpans], AfterValidator(reading.each_day_once)] = {}
    holidays: Annotated[
        tuple[Annotated[str, as_text(reader(times.read_holidays))], ...], BeforeValidator(listed)
    ] = ()
    dates: dict[DateRule, DaySpans] = {}


class ExceptionDoc(Shape):
    """What holds for a while: said before the routes' own steps or, with `do`, instead of them."""

    title: Text
    from_: FromTime = Field(alias="from")
    until: UntilTime
    owner: Text
    say: Annotated[SayFile, BeforeValidator(reading.read_spoken)] | None = None
    do: Steps | None = None

    @model_validator(mode="after")
    def _ends(self) -> Self:
        reading.forward((self.from_, self.until))
        if self.say is None and self.do is None:
            raise ValueError("this exception does nothing; give it `say:`, `do:` or both")
        return self


class PersonDoc(Shape):
    name: Text | None = None
    extension: Annotated[str, as_text(reading.read_extension)] | None = None
    numbers: Annotated[tuple[Pattern, ...], BeforeValidator(listed)] = ()
    """Own DIDs: a call to one rings this person, before any route."""
    rings: Annotated[tuple[Phone, ...], BeforeValidator(listed)] = ()
    hours: HoursName | None = None
    do: Steps | None = None
    """What a call to this person meets; without it, the person is rung."""


class FileList(Shape):
    """The numbers of a table beside the rules."""

    file: Annotated[str, as_text(reading.read_list_file)]
    min_votes: Annotated[int, as_text(reading.read_votes)] = 0
    """Numbers with fewer votes, where the table has votes, are left out."""


class ListRef(Shape):
    """The numbers of a list in shared.yaml."""

    list: Annotated[str, as_text(reading.read_list_name)]


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
    """Who is refused: all that is written here must hold."""

    name: Text
    numbers: Annotated[tuple[ListEntry, ...], *OneOrMore] | None = None
    when: When = (ConditionDoc(),)
    more_than: Annotated[times.Rate, as_text(reader(times.Rate.parse))] | None = None
    """`5 calls in 10m` of one caller to this client, this call included."""
    until: UntilTime | None = None
    """The rule ends by itself; a day alone is its end."""
    shadow: bool = False
    """Count the hits, and let the callers pass: to try a rule out."""

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if self.numbers is None and self.more_than is None and ConditionDoc() in self.when:
            raise ValueError("this refuses every caller; give it `numbers:`, `when:` or `more_than:`")
        return self


class SayTreatment(Shape):
    say: Annotated[SayFile, BeforeValidator(reading.read_spoken)]


Treatment = Annotated[
    Annotated[Literal["decline", "busy"], Tag("<text>")] | Annotated[SayTreatment, Tag("<mapping>")],
    Discriminator(reading.form_of),
]


class ScreeningDoc(Shape):
    allow: Annotated[tuple[ListEntry, ...], BeforeValidator(listed)] = ()
    block: tuple[BlockDoc, ...] = ()
    treatment: Treatment = "decline"


class ClientDoc(Shape):
    """One client's file."""

    client: Id
    name: Text
    numbers: Annotated[tuple[Pattern, ...], BeforeValidator(listed)] = ()
    timezone: Zone
    country: Country
    language: Text = "en"
    tone: Tone = "formal"
    hours: dict[Id, HoursDoc] = {}
    exceptions: tuple[ExceptionDoc, ...] = ()
    screening: ScreeningDoc = ScreeningDoc()
    people: dict[Id, PersonDoc] = {}
    people_from: Text | None = None
    """A table of more people, who are among `people` when this is read (peopletable.py)."""
    routes: tuple[RouteDoc, ...] = ()
    last_resort: Steps = tuple(SayStep(say=SayFile(file=sound)) for sound in DEFAULT_LAST_RESORT)


class NumbersDoc(Shape):
    numbers: Annotated[tuple[SharedEntry, ...], *OneOrMore]


ListDoc = Annotated[
    Annotated[NumbersDoc, Tag("<numbers>")] | Annotated[FileList, Tag("<file>")],
    Discriminator(reading.list_form),
]


class DefaultScreeningDoc(Shape):
    treatment: Treatment


class DefaultsDoc(Shape):
    """What holds for every client whose own file does not say otherwise."""

    timezone: Zone | None = None
    country: Country | None = None
    language: Text | None = None
    tone: Tone | None = None
    screening: DefaultScreeningDoc | None = None
    last_resort: Steps | None = None


SHARED_FILE = "shared.yaml"
SHAREABLE = frozenset(DefaultsDoc.model_fields)
"""Keys that a client's file may leave to SHARED_FILE."""


class SharedDoc(Shape):
    """What clients share."""

    lists: dict[Id, ListDoc] = {}
    """Numbers, by name. National ones are read in the default country; those of tables in each client's."""
    defaults: DefaultsDoc = DefaultsDoc()
