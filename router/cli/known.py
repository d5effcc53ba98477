"""What the rules say of numbers and clients that are typed."""

from collections.abc import Iterator

import typer

from router.cli.options import rules_file
from router.core.numbers import CallerId, PhoneNumber
from router.core.remarks import RuleErrors, did_you_mean
from router.core.ruleset import RuleSet
from router.core.screening import find, matching
from router.core.verdict import Verdict
from router.settings import Settings


class Known:
    """What the rules say of numbers and clients; nothing, where they cannot be read."""

    def __init__(self, rules: RuleSet | None) -> None:
        self._rules = rules

    @classmethod
    def of(cls, settings: Settings) -> "Known":
        loaded = rules_file(settings).load()
        return cls(None if isinstance(loaded, RuleErrors) else loaded)

    def number(self, text: str, client: str | None) -> str:
        """In E.164; without + it is read in that client's country, or the one that all have in common."""
        try:
            rules = self._rules
            return (rules.read_number(text, client) if rules else PhoneNumber.parse(text, None)).e164
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="NUMBER") from error

    def client(self, name: str | None) -> str | None:
        if name is not None and self._rules and name not in self._rules.clients:
            hint = did_you_mean(name, self._rules.clients, "`callrouter show` lists them")
            raise typer.BadParameter(f"no client is called `{name}`; {hint}", param_hint="--client")
        return name

    def allowing(self, verdict: Verdict) -> Iterator[str]:
        """The clients whose rules let the number pass all the same."""
        for client in self._rules.clients.values() if self._rules else ():
            number = PhoneNumber(verdict.number)
            matches = matching(client.screening, CallerId(number, number.e164))
            entry = find(client.screening.allow, number, matches)
            if entry and verdict.client in (None, client.id):
                yield f"{client.id} allows {entry} ({client.screening.allow_place}), which outranks this"
