"""The rules as written: what each YAML document may hold. This is the public contract.

Values are read by pydantic in one pass, into what they mean (patterns, spans, durations, phones), with the
names the document itself defines at hand (reading.py), so that wrong shapes and wrong names are found
together.

To add a key: a field here, and its name out of `NOT_YET`. To add a step: its model here, a row in `STEPS` and
in `Step`, and its row in layout.py. To add a condition: a field of `ConditionDoc`, and its row in
conditions.py.
"""

from typing import Annotated, Any, Literal
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
)
from pydantic import ValidationInfo as Info

from router.core import reading, times
from router.core.numbers import NumberPattern
from router.core.plan import RingOutcome, Target
from router.core.reading import PersonRef, listed, reader

_LATER = """
    agents announce attestation between callback challenge confirm contact contacts defaults
    dialplan directory do exceptions front goto greeting lists menu message more_than people_from
    person queue queues set shadow tag tags until variable when
"""
NOT_YET = frozenset(_LATER.split())
"""Keys of the contract that this version has not, there where it has them not."""

DEFAULT_RING_FOR = times.Duration(25)
DEFAULT_LAST_RESORT = ("im-sorry", "please-try-call-later")
"""Sounds of Asterisk's core set, said where a call has met nobody and `last_resort` is not written."""


class Shape(BaseModel):
    """A mapping whose keys are all known."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def _text(read: Any) -> PlainValidator:
    return PlainValidator(read, json_schema_input_type=str)


Text = Annotated[str, _text(reading.text_of)]
Id = Annotated[str, _text(reading.read_id)]
HoursName = Annotated[str, _text(reading.read_hours_name)]
Pattern = Annotated[NumberPattern, _text(reading.read_pattern)]
BlockedPattern = Annotated[NumberPattern, _text(reading.read_blocked_pattern)]
OutsideNumber = Annotated[Target, _text(reading.read_outside_number)]
DaySpans = Annotated[times.Spans, _text(reader(times.read_spans))]
Weekdays = Annotated[tuple[int, ...], _text(reader(times.read_weekdays))]
DateRule = Annotated[times.Dates | times.YearDays, _text(reader(times.read_dates))]
Country = Annotated[str, _text(reading.read_country)]
OneOrMore = BeforeValidator(listed), Field(min_length=1)


class NumberDoc(Shape):
    """An outside number to ring; the mapping has room for how."""

    number: OutsideNumber


Phone = Annotated[
    Annotated[Annotated[Target, _text(reading.read_phone)], Tag("<text>")]
    | Annotated[NumberDoc, Tag("<mapping>")],
    Discriminator(reading.form_of),
]
RingTarget = Annotated[
    Annotated[Annotated[Target | PersonRef, _text(reading.read_ring_target)], Tag("<text>")]
    | Annotated[NumberDoc, Tag("<mapping>")],
    Discriminator(reading.form_of),
]


class SayFile(Shape):
    file: Annotated[str, _text(reading.read_media)]


class SayStep(Shape):
    say: Annotated[SayFile, BeforeValidator(reading.read_spoken)]


class RingStep(Shape):
    ring: Annotated[tuple[RingTarget, ...], BeforeValidator(listed)]
    order: Literal["all", "in-turn"] = "all"
    ring_for: Annotated[times.Duration, _text(reading.read_ring_for)] = Field(
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


STEPS: dict[str, type[Shape]] = {
    "say": SayStep,
    "ring": RingStep,
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
    | Annotated[DeclineStep, Tag("<decline>")]
    | Annotated[HangupStep, Tag("<hangup>")],
    Discriminator(_step_tag),
    BeforeValidator(_whole_step),
]
Steps = Annotated[tuple[Step, ...], BeforeValidator(listed)]


class CountriesDoc(Shape):
    country: Annotated[tuple[Country, ...], *OneOrMore]


def _read_caller(value: object, info: Info) -> NumberPattern | Literal["anonymous"]:
    return "anonymous" if value == "anonymous" else reading.read_pattern(value, info)


CallerDoc = Annotated[
    Annotated[Annotated[NumberPattern | Literal["anonymous"], _text(_read_caller)], Tag("<text>")]
    | Annotated[CountriesDoc, Tag("<mapping>")],
    Discriminator(reading.form_of),
]


class ConditionDoc(Shape):
    """All keys hold together; the values of a list are alternatives."""

    open: Annotated[tuple[HoursName, ...], *OneOrMore] | None = None
    closed: Annotated[tuple[HoursName, ...], *OneOrMore] | None = None
    caller: Annotated[tuple[CallerDoc, ...], *OneOrMore] | None = None
    dialled: Annotated[tuple[Pattern, ...], *OneOrMore] | None = None
    not_: "When | None" = Field(None, alias="not")


When = Annotated[tuple[ConditionDoc, ...], *OneOrMore]


class RouteDoc(Shape):
    name: Text
    when: When = (ConditionDoc(),)
    do: Steps


class HoursDoc(Shape):
    week: Annotated[dict[Weekdays, DaySpans], AfterValidator(reading.each_day_once)] = {}
    holidays: Annotated[
        tuple[Annotated[str, _text(reader(times.read_holidays))], ...], BeforeValidator(listed)
    ] = ()
    dates: dict[DateRule, DaySpans] = {}


class PersonDoc(Shape):
    name: Text | None = None
    extension: Annotated[str, _text(reading.read_extension)] | None = None
    numbers: Annotated[tuple[Pattern, ...], BeforeValidator(listed)] = ()
    """Own DIDs: a call to one rings this person, before any route."""
    rings: Annotated[tuple[Phone, ...], BeforeValidator(listed)] = ()
    hours: HoursName | None = None


class BlockDoc(Shape):
    name: Text
    numbers: Annotated[tuple[BlockedPattern, ...], *OneOrMore]


class SayTreatment(Shape):
    say: Annotated[SayFile, BeforeValidator(reading.read_spoken)]


class ScreeningDoc(Shape):
    allow: Annotated[tuple[BlockedPattern, ...], BeforeValidator(listed)] = ()
    block: tuple[BlockDoc, ...] = ()
    treatment: Annotated[
        Annotated[Literal["decline", "busy"], Tag("<text>")] | Annotated[SayTreatment, Tag("<mapping>")],
        Discriminator(reading.form_of),
    ] = "decline"


class ClientDoc(Shape):
    """One client's file."""

    client: Id
    name: Text
    numbers: Annotated[tuple[Pattern, ...], BeforeValidator(listed)] = ()
    timezone: Annotated[ZoneInfo, _text(reader(times.read_zone))]
    country: Country
    language: Text = "en"
    tone: Literal["formal", "informal"] = "formal"
    hours: dict[Id, HoursDoc] = {}
    screening: ScreeningDoc = ScreeningDoc()
    people: dict[Id, PersonDoc] = {}
    routes: tuple[RouteDoc, ...] = ()
    last_resort: Steps = tuple(SayStep(say=SayFile(file=sound)) for sound in DEFAULT_LAST_RESORT)


class SharedDoc(Shape):
    """What clients share. This version has nothing to share yet."""
