"""The catalogues: whole, and found by a client's language."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from router.core.languages import CATALOGUES, catalogue_of, speaks
from router.core.languages.catalogue import Catalogue, Phrase
from router.core.phrases import phrase
from router.core.plan import Speak

EN = CATALOGUES["en"]


ALIKE = {Phrase.PLUS}
"""What is the same in several languages."""


def test_the_languages_that_ship() -> None:
    assert set(CATALOGUES) >= {"en", "nb", "da", "vi", "bg"}


@pytest.mark.parametrize("catalogue", CATALOGUES.values(), ids=list(CATALOGUES))
def test_nobody_is_spoken_to_in_two_languages(catalogue: Catalogue) -> None:
    if catalogue is not EN:
        for one in set(Phrase) - ALIKE:
            assert catalogue.text(one, "formal") != EN.text(one, "formal")
    assert len(set(catalogue.weekdays)) == 7
    assert len(set(catalogue.months)) == 12


FOUND = [("nb", "nb"), ("en-GB", "en"), ("vi-VN", "vi"), ("de", "en"), ("de-AT", "en")]


@pytest.mark.parametrize(("language", "found"), FOUND)
def test_the_nearest_language_is_taken(language: str, found: str) -> None:
    assert catalogue_of(language).language == found
    assert speaks(language) is (found == language[:2])


def test_a_phrase_is_spoken_in_its_tone() -> None:
    assert phrase("nb", "formal", Phrase.PRESS_KEY, key="7") == Speak(
        "Vennligst tast 7 for å gå videre.", "nb"
    )
    assert phrase("nb", "informal", Phrase.PRESS_KEY, key="7") == Speak("Tast 7 for å gå videre.", "nb")


INCOMPLETE: list[tuple[str, Callable[[], Catalogue], str]] = [
    ("a text is missing", lambda: replace(EN, texts={}), "en has no text for nobody"),
    (
        "a place is missing",
        lambda: replace(EN, texts={**EN.texts, Phrase.PRESS_KEY: "Press a key."}),
        r"en, press_key: \[\] in braces",
    ),
    (
        "a place is another's",
        lambda: replace(EN, texts={**EN.texts, Phrase.CLOSED: "Closed until {time}."}),
        r"en, closed: \['time'\] in braces",
    ),
]


@pytest.mark.parametrize(("make", "error"), [row[1:] for row in INCOMPLETE], ids=[r[0] for r in INCOMPLETE])
def test_what_a_catalogue_lacks_is_named(make: Callable[[], Catalogue], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        make()
