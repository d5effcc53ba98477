"""What documents of the rules are made of: mappings whose keys are all known, and values with a form.

To add a form of value: its reader in reading.py, and a name for it here.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator

from router.core import dialplanwords, numbertexts, reading, times
from router.core.counts import Count
from router.core.numbers import NumberPattern
from router.core.plan import Target
from router.core.reading import listed, reader


class Shape(BaseModel):
    """A mapping whose keys are all known."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, use_attribute_docstrings=True
    )


def as_text(read: Any) -> PlainValidator:
    """For a field that is text when written, and is read by `read`."""
    return PlainValidator(read, json_schema_input_type=str)


Text = Annotated[str, as_text(reading.text_of)]
VariableName = Annotated[str, as_text(dialplanwords.read_variable_name)]
Id = Annotated[str, as_text(reading.read_id)]
PersonId = Annotated[str, as_text(reading.read_person)]
QueueName = Annotated[str, as_text(reading.read_queue_name)]
HoursName = Annotated[str, as_text(reading.read_hours_name)]
TagName = Annotated[str, as_text(reading.read_tag_name)]
Pattern = Annotated[NumberPattern, as_text(numbertexts.read_pattern)]
ListedCaller = Annotated[NumberPattern | numbertexts.Contacts, as_text(numbertexts.read_listed)]
OutsideNumber = Annotated[Target, as_text(numbertexts.read_outside_number)]
DaySpans = Annotated[times.Spans, as_text(reader(times.read_spans))]
Weekdays = Annotated[tuple[int, ...], as_text(reader(times.read_weekdays))]
FromTime = Annotated[datetime, as_text(reader(times.read_from))]
UntilTime = Annotated[datetime, as_text(reader(times.read_until))]
DateRule = Annotated[times.Dates | times.YearDays, as_text(reader(times.read_dates))]
Country = Annotated[str, as_text(reading.read_country)]
Zone = Annotated[ZoneInfo, as_text(reader(times.read_zone))]
Number = Annotated[Count, as_text(reader(Count.parse))]
MailAddress = Annotated[str, as_text(reading.read_mail)]
WebAddress = Annotated[str, as_text(reading.read_web_address)]
LanguageCode = Annotated[str, as_text(reading.read_language)]
MusicClass = Annotated[str, as_text(dialplanwords.read_music_class)]
Tone = Literal["formal", "informal"]
Strategy = Literal["ring-all", "longest-idle", "round-robin", "fewest-calls", "in-order", "random"]
OneOrMore = BeforeValidator(listed), Field(min_length=1)
