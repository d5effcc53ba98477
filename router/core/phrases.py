"""The product's own texts as prompts."""

from router.core.languages import catalogue_of
from router.core.languages.catalogue import Phrase, Tone
from router.core.plan import Speak


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
