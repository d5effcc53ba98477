"""Screening as written, and lists of numbers."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, StrictBool, Tag, ValidationInfo, model_validator

from router.core import forms, numbertexts, reading, times
from router.core.conditiondocs import ConditionDoc, When
from router.core.numbers import NumberPattern
from router.core.reading import listed, reader
from router.core.regexes import Regex, too_many
from router.core.stepdocs import Spoken
from router.core.written import ListedCaller, OneOrMore, Pattern, Shape, Text, UntilTime, as_text


class FileList(Shape):
    """The numbers of a table beside the rules."""

    file: Annotated[str, as_text(numbertexts.read_list_file)]
    """One number a line, a CSV with a column of numbers, or PhoneBlock's export."""
    min_votes: Annotated[int, as_text(reading.read_votes)] = 0
    """Numbers with fewer votes, where the table has votes, are left out."""

    @model_validator(mode="after")
    def _is_admitted(self, info: ValidationInfo) -> Self:
        numbertexts.admit_list(self.file, self.min_votes, info)
        return self


class ListRef(Shape):
    """The numbers of a list in shared.yaml."""

    list: Annotated[str, as_text(numbertexts.read_list_name)]
    """The list's name there."""


class RegexDoc(Shape):
    r"""Callers by what their number looks like. Who withholds the number is never meant.

    ```yaml
    regex: '^\+47(815|829)[0-9]{5}$'
    ```
    """

    regex: Annotated[Regex, as_text(numbertexts.read_regex)]
    """What is looked for in the number."""


class DisplayDoc(Shape):
    """Callers by the name that is shown with their call; who shows none is never meant.

    ```yaml
    display: '(?i)free offer'
    ```
    """

    display: Annotated[Regex, as_text(numbertexts.read_display)]
    """What is looked for in the name."""


ListEntry = Annotated[
    Annotated[ListedCaller, Tag("<text>")]
    | Annotated[FileList, Tag("<mapping>")]
    | Annotated[ListRef, Tag("<list>")]
    | Annotated[RegexDoc, Tag("<regex>")]
    | Annotated[DisplayDoc, Tag("<display>")],
    Discriminator(forms.entry_form),
]
SharedEntry = Annotated[
    Annotated[Pattern, Tag("<text>")]
    | Annotated[FileList, Tag("<mapping>")]
    | Annotated[RegexDoc, Tag("<regex>")]
    | Annotated[DisplayDoc, Tag("<display>")],
    Discriminator(forms.shared_form),
]


Entry = NumberPattern | numbertexts.Contacts | FileList | ListRef | RegexDoc | DisplayDoc
"""Of a screening list, as checked."""


def regexes_in(entries: Iterable[Any]) -> tuple[Regex, ...]:
    """The regular expressions that are written among `entries` of a list."""
    return tuple(
        one.regex if isinstance(one, RegexDoc) else one.display
        for one in entries
        if isinstance(one, RegexDoc | DisplayDoc)
    )


def _not_too_many(regexes: Iterable[Regex]) -> None:
    if too_many(regexes):
        raise ValueError("these are too many regular expressions in all; write number patterns where they do")


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

    say: Spoken
    """What is heard."""


class ChallengeTreatment(Shape):
    """The caller is asked to press a key, a different one each time, and goes on who does. Machines do not.

    ```yaml
    treatment: {challenge: Please press the key that you hear now.}
    ```
    """

    challenge: Spoken
    """What is heard first; the key is said after it."""


Treatment = Annotated[
    Annotated[Literal["decline", "busy"], Tag("<text>")]
    | Annotated[SayTreatment, Tag("<mapping>")]
    | Annotated[ChallengeTreatment, Tag("<challenge>")],
    Discriminator(forms.treatment_form),
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

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All that its lists have."""
        return (*self.allow, *(one for rule in self.block for one in rule.numbers or ()))

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        _not_too_many(regexes_in(self.entries))
        return self


class NumbersDoc(Shape):
    """A list whose numbers are written here, or come from several tables."""

    numbers: Annotated[tuple[SharedEntry, ...], *OneOrMore]
    """Numbers, number patterns, tables and regular expressions."""

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        _not_too_many(regexes_in(self.numbers))
        return self


ListDoc = Annotated[
    Annotated[NumbersDoc, Tag("<numbers>")] | Annotated[FileList, Tag("<file>")],
    Discriminator(forms.list_form),
    BeforeValidator(forms.whole_list),
]
