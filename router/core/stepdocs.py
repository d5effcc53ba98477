"""Steps as written, wherever steps can stand.

To add a step: its model here, a row in `STEPS` and in `Step`, and its row in layout.py.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, StrictBool, Tag

from router.core import dialplanwords, forms, lengths, numbertexts, reading, speechtexts, times
from router.core.plan import AsteriskQueueOutcome, QueueOutcome, RingOutcome, Target
from router.core.reading import PersonRef, listed
from router.core.written import (
    Id,
    OneOrMore,
    OutsideNumber,
    PersonId,
    QueueName,
    Shape,
    as_text,
)

DEFAULT_RING_FOR = times.Duration(25)
DEFAULT_QUEUE_FOR = times.Duration(10 * 60)


class SayFile(Shape):
    """A recorded file, as in `{file: hello}`."""

    file: Annotated[str, as_text(speechtexts.read_media)]
    """Its name."""


Spoken = Annotated[
    Annotated[Annotated[str, as_text(speechtexts.read_speech)], Tag("<text>")]
    | Annotated[SayFile, Tag("<mapping>")],
    Discriminator(forms.form_of),
]
Whispered = Annotated[
    Annotated[Annotated[str, as_text(speechtexts.read_whisper)], Tag("<text>")]
    | Annotated[SayFile, Tag("<mapping>")],
    Discriminator(forms.form_of),
]
Pronounced = Annotated[
    Annotated[Annotated[str, as_text(speechtexts.read_text_spoken)], Tag("<text>")]
    | Annotated[SayFile, Tag("<mapping>")],
    Discriminator(forms.form_of),
]
Confirm = Annotated[
    Annotated[StrictBool, Tag("<bool>")]
    | Annotated[Annotated[str, as_text(speechtexts.read_question)], Tag("<text>")],
    Discriminator(forms.confirm_form),
]


class NumberDoc(Shape):
    """An outside number to ring, as in `{number: "+47 900 00 001", confirm: true}`."""

    number: OutsideNumber
    """The number."""
    confirm: Confirm | None = None
    """Who answers there presses 1 to take the call, so that a mailbox never does; a text is what they hear.
    """


Phone = Annotated[
    Annotated[Annotated[Target, as_text(numbertexts.read_phone)], Tag("<text>")]
    | Annotated[NumberDoc, Tag("<mapping>")],
    Discriminator(forms.form_of),
]
RingTarget = Annotated[
    Annotated[Annotated[Target | PersonRef, as_text(numbertexts.read_ring_target)], Tag("<text>")]
    | Annotated[NumberDoc, Tag("<mapping>")],
    Discriminator(forms.form_of),
]


class SayStep(Shape):
    """The caller hears something, and the call goes on to the next step.

    ```yaml
    - say: Our office is closed today.
    - say: {file: hello}
    - say: hours
    ```
    """

    say: Spoken
    """What is heard: a text, a recorded file, or `hours`, which tells when the first of the client's hours
    are open next."""


class RingStep(Shape):
    """Phones ring, and the first that answers has the call. If none does, the call goes on to the next step.

    ```yaml
    - ring: [kari, PJSIP/100, "+47 900 00 001"]
      order: in-turn
      for: 20s
      confirm: true
      announce: A call for {client} from {name}.
      on: {busy: [{say: {file: one-moment-please}}]}
    ```
    """

    ring: Annotated[tuple[RingTarget, ...], BeforeValidator(listed)]
    """Who is rung."""
    order: Literal["all", "in-turn", "rotate"] = "all"
    """`all` at once, or `in-turn`, one after the other; `rotate` is in turn, and each call begins one further
    on."""
    ring_for: Annotated[times.Duration, as_text(lengths.read_ring_for)] = Field(
        alias="for",
        default_factory=lambda: DEFAULT_RING_FOR,
        json_schema_extra={"default": str(DEFAULT_RING_FOR)},
    )
    """How long it rings; in turn, each of them."""
    confirm: Confirm | None = None
    """Whoever answers presses 1 to take the call; a text is what they hear. Not written, numbers outside ask
    for it and phones inside do not."""
    announce: Whispered | None = None
    """What whoever answers hears before the caller does."""
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

    person: PersonId
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

    context: Annotated[str, as_text(dialplanwords.read_context)]
    """The context, as in extensions.conf."""
    extension: Annotated[str, as_text(dialplanwords.read_dialplan_extension)]
    """The extension in it."""


class DialplanStep(Shape):
    """Hand the call to Asterisk's dialplan, for good.

    ```yaml
    - dialplan: {context: fax, extension: 100}
    ```
    """

    dialplan: DialplanDoc
    """Where it goes."""


class MenuDoc(Shape):
    """A question, and where each answer leads."""

    say: Spoken | None = None
    """What is asked."""
    choices: Annotated[
        dict[Annotated[str, as_text(reading.read_key)], "Steps"],
        Field(min_length=1),
    ]
    """The steps behind each key: 0 to 9, `*` and `#`. After them the call goes on to the step after the menu.
    """
    otherwise: "Steps" = ()
    """The steps after two tries without a key, or with keys that no choice has."""


class MenuStep(Shape):
    """The caller chooses by a key. Choices may be menus again, to any depth.

    ```yaml
    - menu:
        say: Press 1 for appointments, 2 for prescriptions.
        choices:
          1: [{ring: kari}]
          2: [{say: Prescriptions are renewed on our web page.}]
        otherwise: [{queue: reception}]
    ```
    """

    menu: MenuDoc
    """The question and its answers."""


class DirectoryStep(Shape):
    """The caller finds somebody by extension, or by the first letters of the name, and meets that person's
    own treatment. The name is the whole step.

    ```yaml
    - directory
    ```
    """

    directory: None
    """Has no value."""


class QueueStep(Shape):
    """The caller waits until an agent is free.

    ```yaml
    - queue: reception
      for: 5m
      on: {full: [message], empty: [{ring: "+47 22 00 00 00"}]}
    ```
    """

    queue: QueueName
    """Which of the client's `queues`."""
    wait_for: Annotated[times.Duration, as_text(lengths.read_wait_for)] = Field(
        alias="for",
        default_factory=lambda: DEFAULT_QUEUE_FOR,
        json_schema_extra={"default": str(DEFAULT_QUEUE_FOR)},
    )
    """How long a caller waits before the call goes on."""
    front: StrictBool = False
    """Before all who wait without this."""
    needs: dict[Id, Id] = Field(default_factory=dict)
    """Skills that an agent must have for this caller, the most important first: `{language: vi}`."""
    relax: Annotated[times.Duration, as_text(lengths.read_wait_for)] | None = None
    """Each time a caller has waited so long, the last of `needs` no longer counts. Without it, they always
    do."""
    on: dict[QueueOutcome, "Steps"] = Field(default_factory=dict)
    """Steps to take first, by why the queue did not put the caller through: it was `full`, it had no agents
    (`empty`), the time was over (`timeout`), or the caller pressed 0 (`left`)."""


class AsteriskQueueDoc(Shape):
    """A queue of Asterisk's own, as in `{asterisk: support}`."""

    asterisk: Annotated[str, as_text(dialplanwords.read_asterisk_queue)]
    """Its name in queues.conf."""
    answer: StrictBool = True
    """Whether the caller is answered before waiting there. With `false`, Asterisk answers once an agent does;
    until then the caller hears its music only where the trunk lets such through."""


class AsteriskQueueStep(Shape):
    """The caller waits in a queue of Asterisk's own, app_queue, which rings whom queues.conf says.

    ```yaml
    - queue: {asterisk: support}
      for: 5m
      on: {full: [message], empty: [{ring: kari}]}
    ```
    """

    queue: AsteriskQueueDoc
    """Which of those in queues.conf."""
    wait_for: Annotated[times.Duration, as_text(lengths.read_wait_for)] = Field(
        alias="for",
        default_factory=lambda: DEFAULT_QUEUE_FOR,
        json_schema_extra={"default": str(DEFAULT_QUEUE_FOR)},
    )
    """How long a caller waits before the call goes on."""
    on: dict[AsteriskQueueOutcome, "Steps"] = Field(default_factory=dict)
    """Steps to take first, by why the queue did not put the caller through: it was `full`, it had no agents
    who can be rung (`empty`), the time was over (`timeout`), the caller pressed a key that leads out of it
    (`left`), was taken out of it (`withdrawn`), or Asterisk knows no such queue (`failed`)."""


class MessageDoc(Shape):
    """A message, and whom it is for."""

    to: Annotated[tuple[PersonId, ...], BeforeValidator(listed)] = ()
    """People; without it, the client."""
    say: Spoken | None = None
    """What the caller hears first; how to leave a message is said after it."""


class MessageStep(Shape):
    """The caller leaves a message, which settles the call. The name alone will do.

    The message is spoken after a tone, may be heard and spoken again, and the caller is asked for a number
    where there is none to call back at. With 0 the call goes on to the next step without a message.

    ```yaml
    - message: {to: kari, say: Kari is on holiday until Monday.}
    ```
    """

    message: MessageDoc | None
    """Whom it is for."""


class CallbackDoc(Shape):
    """A wish to be called back."""

    to: Annotated[tuple[PersonId, ...], *OneOrMore]
    """People; without it, the client."""


class CallbackStep(Shape):
    """The caller may ask to be called back, which settles the call. The name alone will do.

    ```yaml
    - callback: {to: kari}
    ```
    """

    callback: CallbackDoc | None
    """Who is to call."""


class TagStep(Shape):
    """The call gets tags, and goes on.

    ```yaml
    - tag: follow_up_needed
    ```
    """

    tag: Annotated[tuple[Annotated[str, as_text(reading.read_tag_name)], ...], *OneOrMore]
    """One of those that ship, or of the `tags` in the client's file or in shared.yaml."""


class SetStep(Shape):
    """The caller's channel gets variables of the dialplan, and the call goes on.

    ```yaml
    - set: {ACCOUNT: fjord}
    ```
    """

    set: Annotated[
        dict[
            Annotated[str, as_text(dialplanwords.read_set_variable)],
            Annotated[str, as_text(dialplanwords.read_variable_value)],
        ],
        Field(min_length=1),
    ]
    """Their names and values."""


STEPS: dict[str, type[Shape]] = {
    "say": SayStep,
    "menu": MenuStep,
    "directory": DirectoryStep,
    "person": PersonStep,
    "ring": RingStep,
    "queue": QueueStep,
    "message": MessageStep,
    "callback": CallbackStep,
    "goto": GotoStep,
    "dialplan": DialplanStep,
    "tag": TagStep,
    "set": SetStep,
    "decline": DeclineStep,
    "hangup": HangupStep,
}


AnyQueueStep = Annotated[
    Annotated[QueueStep, Tag("<own>")] | Annotated[AsteriskQueueStep, Tag("<asterisk>")],
    Discriminator(forms.queue_form),
]


def _whole_step(value: object) -> object:
    return forms.bare_step(value, STEPS)


def _step_tag(value: Any) -> str:
    return next(f"<{key}>" for key in value if key in STEPS)


Step = Annotated[
    Annotated[SayStep, Tag("<say>")]
    | Annotated[MenuStep, Tag("<menu>")]
    | Annotated[DirectoryStep, Tag("<directory>")]
    | Annotated[PersonStep, Tag("<person>")]
    | Annotated[RingStep, Tag("<ring>")]
    | Annotated[AnyQueueStep, Tag("<queue>")]
    | Annotated[MessageStep, Tag("<message>")]
    | Annotated[CallbackStep, Tag("<callback>")]
    | Annotated[GotoStep, Tag("<goto>")]
    | Annotated[DialplanStep, Tag("<dialplan>")]
    | Annotated[TagStep, Tag("<tag>")]
    | Annotated[SetStep, Tag("<set>")]
    | Annotated[DeclineStep, Tag("<decline>")]
    | Annotated[HangupStep, Tag("<hangup>")],
    Discriminator(_step_tag),
    BeforeValidator(_whole_step),
]
Steps = Annotated[tuple[Step, ...], BeforeValidator(listed)]
