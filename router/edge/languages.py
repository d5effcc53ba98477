"""The languages of contacts, as far as the product speaks them. Its prompts are made beside the calls, and
until all of a language are there, who speaks it hears the client's.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime

import structlog

from router.core.languages import catalogue_of, speaks
from router.core.ruleset import RuleSet
from router.edge.prompts import Prompts, also_spoken

log = structlog.get_logger()


class Languages:
    """Those that are wanted, and those that are there."""

    def __init__(self, prompts: Prompts, rules: Callable[[], RuleSet], clock: Callable[[], datetime]) -> None:
        self._prompts = prompts
        self._rules = rules
        self._clock = clock
        self._wanted: frozenset[str] = frozenset()
        self._ready: frozenset[str] = frozenset()
        self._new = asyncio.Event()

    def want(self, languages: Iterable[str]) -> None:
        """Contacts speak these; returns at once."""
        self._wanted |= {catalogue_of(language).language for language in languages if speaks(language)}
        if not self._wanted <= self._ready:
            self._new.set()

    def spoken(self, language: str) -> str:
        """In which language callers are spoken to who speak that one; empty where that is the client's."""
        found = catalogue_of(language).language if language and speaks(language) else ""
        return found if found in self._ready else ""

    def renew(self, rules: RuleSet) -> None:
        """Make what these rules need before they are used, in each language that is there. It blocks."""
        ready = self._ready
        self._ready -= ready - also_spoken(rules, self._prompts, self._clock(), ready)

    def look(self) -> None:
        """Other rules are used: make what they need in languages that have come since `renew` began."""
        if self._wanted:
            self._new.set()

    async def run(self) -> None:
        """Make what is wanted and not there; for ever."""
        while True:
            await self._new.wait()
            self._new.clear()
            wanted, before = self._wanted, self._ready
            made = await asyncio.to_thread(also_spoken, self._rules(), self._prompts, self._clock(), wanted)
            self._ready = self._ready - wanted | made
            self._wanted -= wanted - made  # What failed is tried again once it is wanted anew.
            if self._ready != before:
                log.info("languages that callers are spoken to in", languages=sorted(self._ready))
