"""What the product itself says to people, language by language.

A language is one module of this package, named by its code (`nb.py`, `en_gb.py`), whose CATALOGUE has every
text; to add one, add its module. A client's language that has none is spoken to in the nearest that has:
`de-AT` in `de`, else in English.
"""

import pkgutil
from collections.abc import Mapping
from importlib import import_module

from router.core.languages.catalogue import Catalogue

FALLBACK = "en"
"""Spoken where a language has no catalogue."""


def _all() -> dict[str, Catalogue]:
    names = [module.name for module in pkgutil.iter_modules(__path__) if module.name != "catalogue"]
    found = (import_module(f"{__name__}.{name}").CATALOGUE for name in names)
    return {catalogue.language: catalogue for catalogue in found}


CATALOGUES: Mapping[str, Catalogue] = _all()
"""By language code."""


def speaks(language: str) -> bool:
    """Whether there are texts in that language, or the nearest to it."""
    return language in CATALOGUES or language.partition("-")[0] in CATALOGUES


def catalogue_of(language: str) -> Catalogue:
    """The texts for a client of that language."""
    main = language.partition("-")[0]
    return CATALOGUES.get(language) or CATALOGUES.get(main) or CATALOGUES[FALLBACK]
