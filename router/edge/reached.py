"""`agi://HOST:PORT/reached,CLIENT,NUMBER`: somebody of a client has talked with who has that number.

The router sees no calls that people make from their phones. A dialplan that makes them can tell it, and then
nobody needs to call back any more (store/followups.py).
"""

from collections.abc import Callable
from datetime import datetime

import structlog

from router.core.handout import PREFIX, Variables
from router.core.remarks import did_you_mean
from router.core.ruleset import RuleSet
from router.edge.agiwire import REACHED, Asked

log = structlog.get_logger()

Note = Callable[[str, str, datetime], None]
"""Has it written down: client, number (E.164), when."""


class Reached:
    """Is told of it."""

    def __init__(self, rules: Callable[[], RuleSet], note: Note, clock: Callable[[], datetime]) -> None:
        self._rules = rules
        self._note = note
        self._clock = clock

    def take(self, asked: Asked, variables: str) -> Variables:
        """The answer to one request: what is wrong with it, or nothing."""
        rules = self._rules()
        client, number, *_ = (*asked.arguments, "", "")
        if client not in rules.clients:
            hint = did_you_mean(client, rules.clients, f"write agi://.../{REACHED},CLIENT,NUMBER")
            return _answer(f"there is no client {client[:40]}; {hint}")
        try:
            reached = rules.read_number(number, client).e164
        except ValueError as error:
            return _answer(str(error))
        self._note(client, reached, self._clock())
        log.info("reached by a call of the dialplan's", client=client, number=reached)
        return _answer("")


def _answer(error: str) -> Variables:
    return ((f"{PREFIX}ERROR", error),)
