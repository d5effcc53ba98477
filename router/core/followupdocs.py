"""Follow-ups as written: what is to be done after a call, and after which calls.

To add something to be done: a field of `ActionDoc`, and what it becomes in followups.py.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from router.core import forms, lengths, reading, times
from router.core.conditiondocs import CountriesDoc, read_caller
from router.core.numbers import NumberPattern
from router.core.reading import listed
from router.core.record import Disposition
from router.core.written import (
    HoursName,
    Id,
    MailAddress,
    OneOrMore,
    Pattern,
    PersonId,
    QueueName,
    Shape,
    TagName,
    Text,
    WebAddress,
    as_text,
)

DEFAULT_CALL_BACK_WITHIN = times.Duration(24 * 3600)


def _known_afterwards(value: object) -> object:
    if isinstance(value, dict) and not value.keys().isdisjoint(("contact", "attestation")):
        instead = "tag them in a route (`tag: NAME`), and ask for the tag here"
        raise ValueError(f"after a call this is not known of its caller any more; {instead}")
    return value


EndedCaller = Annotated[
    Annotated[Annotated[NumberPattern | Literal["anonymous"], as_text(read_caller)], Tag("<text>")]
    | Annotated[CountriesDoc, Tag("<mapping>")],
    Discriminator(forms.form_of),
    BeforeValidator(_known_afterwards),
]


class EndedWhenDoc(Shape):
    """Calls that are over. All keys hold together; the values of a list are alternatives.

    ```yaml
    when: {disposition: [no_answer, abandoned], queue: reception, open: office}
    ```
    """

    disposition: Annotated[tuple[Disposition, ...], *OneOrMore] | None = None
    """What became of the call."""
    tag: Annotated[tuple[TagName, ...], *OneOrMore] | None = None
    """The call has the tag. One that is put on it later makes the follow-up due then."""
    queue: Annotated[tuple[QueueName, ...], *OneOrMore] | None = None
    """The call came to this queue."""
    client: Annotated[tuple[Id, ...], *OneOrMore] | None = None
    """It was a call to this client: for follow-ups in `shared.yaml`, as in `not: {client: acme}`."""
    open: Annotated[tuple[HoursName, ...], *OneOrMore] | None = None
    """The call ended within these hours."""
    closed: Annotated[tuple[HoursName, ...], *OneOrMore] | None = None
    """It ended outside these hours."""
    caller: Annotated[tuple[EndedCaller, ...], *OneOrMore] | None = None
    """Who called."""
    dialled: Annotated[tuple[Pattern, ...], *OneOrMore] | None = None
    """The number that was called."""
    not_: "EndedWhen | None" = Field(None, alias="not")
    """The condition here does not hold."""


EndedWhen = Annotated[tuple[EndedWhenDoc, ...], *OneOrMore]


class CallBackDoc(Shape):
    """Somebody is to call the caller back: `callrouter todo` lists it until it is done. It is done by itself
    once the caller calls the client again, or is called back by a queue, and is answered; of calls from desk
    phones the dialplan tells. Of a caller who withheld the number, and left none, nothing is listed.

    ```yaml
    call_back: {owner: kari, within: 2h}
    ```
    """

    owner: PersonId | None = None
    """Whose it is; without one, everybody's."""
    within: Annotated[times.Duration, as_text(lengths.read_call_back_within)] | None = Field(
        None, json_schema_extra={"default": str(DEFAULT_CALL_BACK_WITHIN)}
    )
    """How long after the call."""
    by: HoursName | None = None
    """In place of `within`: before these hours end, or, where it is closed, the next ones."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        if self.within is not None and self.by is not None:
            raise ValueError("this is due twice; write `within:` or `by:`")
        return self


class ActionDoc(Shape):
    """What is to be done, one thing or several.

    ```yaml
    - webhook: "https://crm.example/missed"
    - call_back: {owner: kari, within: 2h}
    ```
    """

    webhook: WebAddress | None = None
    """Where the call is posted, signed as messages are."""
    mail: Annotated[tuple[MailAddress, ...], BeforeValidator(listed)] = ()
    """Whom it is mailed."""
    mqtt: Annotated[str, as_text(reading.read_topic)] | None = None
    """The last part of the topic under which it is published."""
    call_back: CallBackDoc | None = None
    """Somebody is to call the caller back."""
    do_not_contact: Annotated[times.Duration, as_text(lengths.read_do_not_contact)] | None = None
    """For so long the caller's number is among those that nobody is to call (`callrouter dnc`)."""

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not any(vars(self).values()):
            ways = "webhook, mail, mqtt, call_back or do_not_contact"
            raise ValueError(f"nothing is to be done here; write {ways}")
        return self


def _one_of_each(actions: tuple[ActionDoc, ...]) -> tuple[ActionDoc, ...]:
    for key in ("call_back", "do_not_contact"):
        if sum(getattr(action, key) is not None for action in actions) > 1:
            raise ValueError(f"`{key}` is written twice here; write it once, or make two follow-ups")
    return actions


Actions = Annotated[tuple[ActionDoc, ...], *OneOrMore, AfterValidator(_one_of_each)]


class FollowUpDoc(Shape):
    """What is to be done after a call, once a call.

    ```yaml
    - name: missed
      when: {disposition: [no_answer, abandoned], open: office}
      do: [{webhook: "https://crm.example/missed"}, {call_back: {owner: kari, within: 2h}}]
    ```
    """

    name: Text
    """What it is called in `callrouter todo` and tests; each follow-up has its own."""
    when: EndedWhen = (EndedWhenDoc(),)
    """After which calls; without it, after every call."""
    do: Actions
    """What is to be done."""
