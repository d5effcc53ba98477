"""Conditions as written, wherever a `when` can stand.

To add a condition: a field of `ConditionDoc`, and its row in conditions.py.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag
from pydantic import ValidationInfo as Info

from router.core import forms, numbertexts, reading
from router.core.numbers import NumberPattern
from router.core.written import (
    Country,
    FromTime,
    HoursName,
    Number,
    OneOrMore,
    Pattern,
    QueueName,
    Shape,
    Text,
    UntilTime,
    VariableName,
    as_text,
)


class CountriesDoc(Shape):
    """Callers from a country, as in `{country: [NO, SE]}`."""

    country: Annotated[tuple[Country, ...], *OneOrMore]
    """The countries; one is enough."""


class AttestationDoc(Shape):
    """How far the caller's number was vouched for (STIR/SHAKEN), as the dialplan's variable says."""

    attestation: Annotated[tuple[Literal["A", "B", "C"], ...], *OneOrMore]
    """A: for this caller with this number; B: for the caller; C: only where the call came in (RFC 8588)."""


class ContactDoc(Shape):
    """Callers whom the client knows, by the groups that they are in."""

    contact: Annotated[tuple[Text, ...], *OneOrMore]
    """The groups; one is enough."""


def _caller_form(value: object) -> str:
    for key in ("attestation", "contact"):
        if isinstance(value, dict) and key in value:
            return f"<{key}>"
    return forms.form_of(value)


def read_caller(value: object, info: Info) -> NumberPattern | Literal["anonymous"]:
    """Caller: a number or a number pattern, or `anonymous` for a number that is withheld or unknown."""
    return "anonymous" if value == "anonymous" else numbertexts.read_pattern(value, info)


CallerDoc = Annotated[
    Annotated[Annotated[NumberPattern | Literal["anonymous"], as_text(read_caller)], Tag("<text>")]
    | Annotated[CountriesDoc, Tag("<mapping>")]
    | Annotated[AttestationDoc, Tag("<attestation>")]
    | Annotated[ContactDoc, Tag("<contact>")],
    Discriminator(_caller_form),
]


class WaitingDoc(Shape):
    """How many wait in a queue, as in `{waiting: ">5"}`."""

    waiting: Number
    """So many callers."""


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
    queue: Annotated[dict[QueueName, WaitingDoc], Field(min_length=1)] | None = None
    """So many wait: a queue's name, and how many."""
    agents: Annotated[dict[QueueName, Number], Field(min_length=1)] | None = None
    """So many agents are there: a queue's name, and how many; `0` for nobody."""
    not_: "When | None" = Field(None, alias="not")
    """The condition here does not hold."""


When = Annotated[tuple[ConditionDoc, ...], *OneOrMore]
