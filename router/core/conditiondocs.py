"""Conditions as written, wherever a `when` can stand.

To add a condition: a field of `ConditionDoc`, and its row in conditions.py.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag
from pydantic import ValidationInfo as Info

from router.core import reading
from router.core.numbers import NumberPattern
from router.core.written import (
    Country,
    FromTime,
    HoursName,
    OneOrMore,
    Pattern,
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
