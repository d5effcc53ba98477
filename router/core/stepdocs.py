"""Steps as written, wherever steps can stand.

To add a step: its model here, a row in `STEPS` and in `Step`, and its row in layout.py.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from router.core import reading, times
from router.core.plan import RingOutcome, Target
from router.core.reading import PersonRef, listed
from router.core.written import NOT_YET, OutsideNumber, Shape, as_text

DEFAULT_RING_FOR = times.Duration(25)


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
    on: dict[RingOutcome, "Steps"] = Field(default_factory=dict)
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
