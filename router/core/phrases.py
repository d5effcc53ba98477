"""The product's own texts as prompts."""

from router.core.languages import catalogue_of
from router.core.languages.catalogue import Phrase, Tone
from router.core.plan import CALLER, Speak, Whisper


def phrase(language: str, tone: Tone, which: Phrase, **values: str) -> Speak:
    """One of the product's own texts in a client's language, or the nearest there is; `values` are those of
    its places in braces."""
    catalogue = catalogue_of(language)
    return Speak(catalogue.text(which, tone).format(**values), catalogue.language)


DIGITS = "0123456789"


def spelled(language: str, number: str) -> tuple[Speak, ...]:
    """A number, digit by digit; a `+` is said, too."""
    catalogue = catalogue_of(language)
    plus = catalogue.text(Phrase.PLUS, "formal")
    return tuple(Speak(plus if digit == "+" else digit, catalogue.language) for digit in number)


def whispered(whisper: Whisper, number: str) -> tuple[Speak, ...]:
    """A whisper in a call from `number`, which is empty where the caller withholds it."""
    said = spelled(whisper.language, number) if number else (_withheld(whisper.language),)
    first, *rest = whisper.text.split(CALLER)
    prompts = _spoken(first, whisper.language)
    for text in rest:
        prompts += (*said, *_spoken(text, whisper.language))
    return prompts


def whispers(whisper: Whisper) -> tuple[Speak, ...]:
    """All that a whisper is put together of, in whatever call."""
    digits = spelled(whisper.language, f"+{DIGITS}")
    return (*whispered(whisper, ""), *digits)


def _withheld(language: str) -> Speak:
    return phrase(language, "formal", Phrase.WITHHELD)


def _spoken(text: str, language: str) -> tuple[Speak, ...]:
    """What stands between two places; a full stop alone is nothing to speak."""
    return (Speak(text.strip(), language),) if any(map(str.isalnum, text)) else ()
