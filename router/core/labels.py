"""Labels: dispositions and tags as people read them, language by language.

The product's own are among the texts of its languages; what rules call a tag comes before them.
"""

from router.core.languages import catalogue_of
from router.core.languages.catalogue import Phrase
from router.core.record import Disposition
from router.core.tags import SHIPPED, Tag

DISPOSITIONS = {one: Phrase(f"disposition_{one.value}") for one in Disposition}
TAGS = {id: Phrase(f"tag_{id}") for id in SHIPPED}


def of_disposition(disposition: Disposition, language: str) -> str:
    """In that language, or the nearest there is."""
    return catalogue_of(language).text(DISPOSITIONS[disposition], "formal")


def of_tag(tag: Tag, language: str) -> str:
    """In that language as the rules or the product have it, else in English, else in any language that the
    rules have it in, else the tag itself, as words."""
    main = language.partition("-")[0]
    written = tag.labels
    named = written.get(language) or written.get(main)
    if named:
        return named
    ships = TAGS.get(tag.id)
    catalogue = catalogue_of(language)
    if ships is not None and (catalogue.language in (language, main) or "en" not in written):
        return catalogue.text(ships, "formal")
    return written.get("en") or next(iter(written.values()), tag.id.replace("_", " "))
