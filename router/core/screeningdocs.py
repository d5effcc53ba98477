"""Screening as written, and lists of numbers."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Discriminator, StrictBool, Tag, ValidationInfo, model_validator

from router.core import reading, times
from router.core.conditiondocs import ConditionDoc, When
from router.core.reading import listed, reader
from router.core.stepdocs import SayFile
from router.core.written import BlockedPattern, OneOrMore, Shape, Text, UntilTime, as_text


class FileList(Shape):
    """The numbers of a table beside the rules."""

    file: Annotated[str, as_text(reading.read_list_file)]
    """One number a line, a CSV with a column of numbers, or PhoneBlock's export."""
    min_votes: Annotated[int, as_text(reading.read_votes)] = 0
    """Numbers with fewer votes, where the table has votes, are left out."""

    @model_validator(mode="after")
    def _is_admitted(self, info: ValidationInfo) -> Self:
        reading.admit_list(self.file, self.min_votes, info)
        return self


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


class NumbersDoc(Shape):
    """A list whose numbers are written here, or come from several tables."""

    numbers: Annotated[tuple[SharedEntry, ...], *OneOrMore]
    """Numbers, number patterns and tables."""


ListDoc = Annotated[
    Annotated[NumbersDoc, Tag("<numbers>")] | Annotated[FileList, Tag("<file>")],
    Discriminator(reading.list_form),
    BeforeValidator(reading.whole_list),
]
