"""The product's own texts as prompts."""

import re
from collections.abc import Mapping

from router.core.languages import catalogue_of
from router.core.languages.catalogue import Phrase, Tone
from router.core.plan import CALLER, NAME, WAITED, CallPlan, Queue, Ring, Speak, SpeakName, Whisper


def phrase(language: str, tone: Tone, which: Phrase, **values: str) -> Speak:
    """One of the product's own texts in a client's language, or the nearest there is; `values` are those of
    its places in braces."""
    catalogue = catalogue_of(language)
    return Speak(catalogue.text(which, tone).format(**values), catalogue.language)


DIGITS = "0123456789"

MINUTES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50, 60)
"""What is said of a wait; the last stands for all that is longer."""

_PLACES = re.compile(f"({'|'.join(map(re.escape, (CALLER, WAITED, NAME)))})")


def spelled(language: str, number: str) -> tuple[Speak, ...]:
    """A number, digit by digit; a `+` is said, too."""
    catalogue = catalogue_of(language)
    plus = catalogue.text(Phrase.PLUS, "formal")
    return tuple(Speak(plus if digit == "+" else digit, catalogue.language) for digit in number)


def whispered(whisper: Whisper, number: str, waited: float, name: str = "") -> tuple[Speak | SpeakName, ...]:
    """A whisper in a call from `number`, which is empty where the caller withholds it, who has waited so many
    seconds, and whom the client knows by a name, unless that is empty.

    Where the name would stand of who has none, the number does, if it does not stand elsewhere.
    """
    caller = spelled(whisper.language, number) if number else (_withheld(whisper.language),)
    nameless = () if CALLER in whisper.text else caller
    said: Mapping[str, tuple[Speak | SpeakName, ...]] = {
        CALLER: caller,
        WAITED: (_waited(whisper.language, int(waited / 60)),),
        NAME: (SpeakName(Speak(name, whisper.language), nameless),) if name else nameless,
    }
    prompts: tuple[Speak | SpeakName, ...] = ()
    for text in _PLACES.split(whisper.text):
        prompts += said[text] if text in said else _spoken(text, whisper.language)
    return prompts


def whispers(whisper: Whisper) -> tuple[Speak, ...]:
    """All that a whisper is put together of, in whatever call, but for names."""
    told = whisper.text
    digits = spelled(whisper.language, f"+{DIGITS}") if CALLER in told or NAME in told else ()
    waits = tuple(_waited(whisper.language, minutes) for minutes in (0, *MINUTES) if WAITED in told)
    nameless = (one for one in whispered(whisper, "", 0.0) if isinstance(one, Speak))
    return (*nameless, *digits, *waits)


def named(plan: CallPlan, name: str) -> tuple[Speak, ...]:
    """A caller's name, as the whispers of a plan have it: once for each of their languages."""
    whispers = (
        one
        for node in plan.nodes
        if isinstance(node.step, Ring | Queue)
        for one in node.step.texts
        if isinstance(one, Whisper) and NAME in one.text
    )
    return tuple(dict.fromkeys(Speak(name, one.language) for one in whispers))


def _waited(language: str, minutes: int) -> Speak:
    """How long somebody has waited, rounded down to one of MINUTES."""
    if minutes < 1:
        return phrase(language, "formal", Phrase.WAITED_LITTLE)
    told = next(known for known in reversed(MINUTES) if known <= minutes)
    if told == 1:
        return phrase(language, "formal", Phrase.WAITED_MINUTE)
    return phrase(language, "formal", Phrase.WAITED_MINUTES, minutes=str(told))


def _withheld(language: str) -> Speak:
    return phrase(language, "formal", Phrase.WITHHELD)


def _spoken(text: str, language: str) -> tuple[Speak, ...]:
    """What stands between two places; a full stop alone is nothing to speak."""
    return (Speak(text.strip(), language),) if any(map(str.isalnum, text)) else ()
