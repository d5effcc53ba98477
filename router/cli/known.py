"""What the rules say of numbers and clients that are typed."""

from collections.abc import Collection, Iterator

import typer

from router.cli.options import rules_file
from router.core.contacts import Entry, known_as
from router.core.numbers import CallerId, NoCallingCodeError, PhoneNumber
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

    @property
    def clients(self) -> Collection[str] | None:
        """The ids of all clients; None where nobody knows them."""
        return self._rules.clients if self._rules else None

    def country(self, client: str | None) -> str | None:
        """In which numbers are read that are typed without +."""
        rules = self._rules
        return rules.country_for(client if client in rules.clients else None) if rules else None

    def number(self, text: str, client: str | None, *, may_name_one: bool = True) -> str:
        """In E.164; without + it is read in `country`. `may_name_one`: the command has --client."""
        try:
            return PhoneNumber.parse(text, self.country(client)).e164
        except NoCallingCodeError as error:
            what = self._in_no_country(text, may_name_one=may_name_one)
            raise typer.BadParameter(what or str(error), param_hint="NUMBER") from error
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="NUMBER") from error

    def _in_no_country(self, text: str, *, may_name_one: bool) -> str:
        """Why nobody knows in which country a number is to be read, if more is to be said of it."""
        what = f"`{text}` has no calling code"
        if self._rules is None:
            why = "the rules, which cannot be read (`callrouter check`), say no country"
            return f"{what}, and {why}; write it with +"
        if not self._rules.countries:
            return ""
        countries = ", ".join(self._rules.countries)
        instead = "write it with +" + (", or say whose country: --client ID" if may_name_one else "")
        return f"{what}, and clients are in several countries ({countries}); {instead}"

    def client(self, name: str | None) -> str | None:
        if name is not None and self._rules and name not in self._rules.clients:
            hint = did_you_mean(name, self._rules.clients, "`callrouter show` lists them")
            raise typer.BadParameter(f"no client is called `{name}`; {hint}", param_hint="--client")
        return name

    def person(self, name: str | None) -> str | None:
        """Somebody of any client's."""
        people = (
            {one for client in self._rules.clients.values() for one in client.people} if self._rules else ()
        )
        if name is not None and self._rules and name not in people:
            hint = did_you_mean(name, people, "`callrouter show` lists them")
            raise typer.BadParameter(f"nobody in the rules is `{name}`; {hint}", param_hint="--owner")
        return name

    def allowing(self, verdict: Verdict, contacts: Collection[Entry]) -> Iterator[str]:
        """The clients whose rules let the number pass all the same; `contacts` are those of the number."""
        for client in self._rules.clients.values() if self._rules else ():
            number = PhoneNumber(verdict.number)
            matches = matching(client.screening, CallerId(number, number.e164))
            contact = known_as(contacts, number.e164, client.id) is not None
            entry = find(client.screening.allow, number, matches, contact=contact)
            if entry and verdict.client in (None, client.id):
                yield f"{client.id} allows {entry} ({client.screening.allow_place}), which outranks this"
