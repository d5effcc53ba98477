"""Dispositions and tags as commands show them: as they are typed or, with --language, as people call them."""

from typing import Annotated

import typer

from router.cli.options import rules_file
from router.core import labels
from router.core.languages import CATALOGUES
from router.core.record import Disposition
from router.core.remarks import RuleErrors, did_you_mean
from router.core.ruleset import RuleSet
from router.core.tags import Tag
from router.settings import Settings

Language = Annotated[
    str | None,
    typer.Option(
        metavar="CODE",
        help="Show dispositions and tags by their names in this language: nb.",
        show_default=False,
    ),
]


class Labels:
    """How one command shows them."""

    def __init__(self, language: str | None = None, rules: RuleSet | None = None) -> None:
        """Without a language as they are typed; without `rules` only the product's own names are known.
        BadParameter for a language that nothing has a name in."""
        self._language = language
        self._rules = rules
        if language is not None:
            self._check(language)

    @classmethod
    def of(cls, language: str | None, settings: Settings) -> "Labels":
        """The rules are read only where there is a language; where they have errors, that is told."""
        if language is None:
            return cls()
        loaded = rules_file(settings).load()
        if isinstance(loaded, RuleErrors):
            typer.echo(
                "the rules have errors (`callrouter check`); names of their own are left out", err=True
            )
            return cls(language)
        return cls(language, loaded)

    def disposition(self, disposition: Disposition) -> str:
        """What became of a call."""
        return labels.of_disposition(disposition, self._language) if self._language else disposition.value

    def tag(self, client: str | None, id: str) -> str:
        """A tag of a client's call, whether or not the rules still have it."""
        if self._language is None:
            return id
        known = self._rules.tags_of(client) if self._rules else {}
        return labels.of_tag(known.get(id, Tag(id)), self._language)

    def _check(self, language: str) -> None:
        rules = self._rules
        own = (tag for one in (rules.clients.values() if rules else ()) for tag in one.tags.values())
        known = {*CATALOGUES, *(written for tag in own for written in tag.labels)}
        if not {language, language.partition("-")[0]} & known:
            hint = did_you_mean(language, sorted(known), f"there are {', '.join(sorted(known))}")
            raise typer.BadParameter(f"nothing has a name in `{language}`; {hint}", param_hint="--language")
