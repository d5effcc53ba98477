"""What documents of the rules are made of: mappings whose keys are all known, and values with a form.

To add a form of value: its reader in reading.py, and a name for it here.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator

from router.core import reading, times
from router.core.numbers import NumberPattern
from router.core.plan import Target
from router.core.reading import listed, reader

_LATER = """
    agents announce callback challenge confirm contact contacts directory front
    greeting menu message queue queues set tag tags
"""
NOT_YET = frozenset(_LATER.split())
"""Keys of the contract that this version has not, there where it has them not."""


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
