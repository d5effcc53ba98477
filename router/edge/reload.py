"""Reads the rules again while calls are in flight: all or nothing. Those keep the plan they began with."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import structlog

from router.core.remarks import RuleError, RuleErrors
from router.core.ruleset import RuleSet
from router.edge.metrics import Metrics
from router.edge.rulesfile import RulesFile

log = structlog.get_logger()

_Outcome = TypeVar("_Outcome", bound=RuleSet | RuleErrors | None)

LOOK_EVERY = 1.0
"""Seconds between two looks at the files. What has changed is read once two looks in a row see the same, and
not while it is written."""


class Reloader:
    """The way by which rules come into use after the start."""

    def __init__(
        self,
        source: RulesFile,
        speak: Callable[[RuleSet], RuleSet | RuleErrors],
        take: Callable[[RuleSet], None],
        metrics: Metrics,
    ) -> None:
        """`speak` makes the prompts of rules, which blocks; `take` brings rules into use."""
        self._source = source
        self._speak = speak
        self._take = take
        self._metrics = metrics
        self._one_by_one = asyncio.Lock()

    async def reload(self) -> RuleSet | RuleErrors:
        """Read the rules; what is in use from now on, or why that is still what it was."""
        async with self._one_by_one:
            outcome = await asyncio.to_thread(self._guarded, self._source.load)
            self._judge(outcome)
            return outcome

    async def refresh(self) -> None:
        """Have the rules in use go by their calendars as these are now. What was written into files since
        they were read stays aside."""
        async with self._one_by_one:
            outcome = await asyncio.to_thread(self._guarded, self._source.again)
            if outcome is not None:
                self._judge(outcome)

    def _judge(self, outcome: RuleSet | RuleErrors) -> None:
        if isinstance(outcome, RuleErrors):
            self._metrics.rules_refused()
            errors = [str(error) for error in outcome.errors]
            log.error("rules refused, the old ones stay", errors=errors)
        else:
            self._take(outcome)
            self._metrics.rules_loaded()
            warnings = list(map(str, outcome.warnings))
            log.info("rules loaded", version=outcome.version, clients=len(outcome.clients), warnings=warnings)

    async def watch(self) -> None:
        """Read the rules whenever their files have changed; for ever."""
        read = before = await asyncio.to_thread(self._source.state)
        while True:
            await asyncio.sleep(LOOK_EVERY)
            now = await asyncio.to_thread(self._source.state)
            if now == before and now != read:
                read = now
                await self.reload()
            before = now

    def _guarded(self, read: Callable[[], _Outcome]) -> _Outcome | RuleSet | RuleErrors:
        try:
            outcome = read()
            return outcome if outcome is None or isinstance(outcome, RuleErrors) else self._speak(outcome)
        except Exception as error:  # A fault of ours must not end the calls in flight.
            log.exception("rules not read")
            what = f"could not be read, by a fault of callrouter's own ({type(error).__name__})"
            return RuleErrors((RuleError(str(self._source.path), 0, 0, what, "see the log"),))
