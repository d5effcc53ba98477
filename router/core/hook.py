"""Whether calls to every number of every client come from Asterisk's dialplan to callrouter.

Nobody knows in which form a trunk writes a number, so each form is tried that the router would read
(arrival.py). One must lead here. It is an error if something else takes the form with `+` (E.164), which many
trunks write, and worth a warning if it takes another one.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from router.core.asteriskdialplan import OURS, AsteriskDialplan, Lead, Led, find, follow
from router.core.findings import NAMED, Finding, error, not_checked, ok, warning
from router.core.numbers import NumberPattern
from router.core.ruleset import ClientRules, RuleSet

RELOAD = "asterisk -rx 'dialplan reload'"


def look_in(shown: AsteriskDialplan, context: str, rules: RuleSet, app: str) -> list[Finding]:
    """What is found of one context in which calls come in. A hundred thousand numbers take seconds."""
    where = f"context {context}"
    if context not in shown:
        return [error("Asterisk has no such context", "correct `context` of the trunk, or --context", where)]
    dead_man = find(shown, context, "T")
    found = []
    # A pattern that takes T as well takes numbers before callrouter has them, and is told there.
    if dead_man is not None and dead_man[0] not in OURS and dead_man[1].pattern == "T":
        what = f"[{dead_man[0]}] has an extension T, which is taken for callrouter's dead-man"
        found.append(error(what, f"give it another name, then: {RELOAD}", dead_man[1].place or where))
    numbers = [
        _number(shown, context, client, own.pattern, app)
        for client in rules.clients.values()
        for own in client.numbers
    ]
    if numbers and not any(one.best.lead in (Lead.HERE, Lead.UNCLEAR) for one in numbers):
        what = f"no number of any client comes from the context [{context}] to callrouter"
        remedy = f"write `include => callrouter` as the last line of [{context}], then: {RELOAD}"
        return [*found, error(what, remedy, "extensions.conf")]
    return [*found, *_of_numbers(context, numbers)]


_ORDER = (Lead.HERE, Lead.UNCLEAR, Lead.ELSEWHERE, Lead.NOWHERE)


class _Number(NamedTuple):
    """A number of a client's, and where calls to it lead."""

    client: str
    pattern: NumberPattern
    best: Led
    """In the form that leads furthest: who knows how the trunk writes it?"""
    written: str
    """In E.164."""
    taken: tuple[str, Led] | None
    """The first form in which something else takes it; E.164 comes first."""

    @property
    def leads_nowhere(self) -> bool:
        """In no form it comes to us."""
        return self.best.lead in (Lead.ELSEWHERE, Lead.NOWHERE)

    @property
    def is_lost(self) -> bool:
        """In no form, or not in E.164, which something else takes."""
        return self.leads_nowhere or (self.taken is not None and self.taken[0] == self.written)


def _number(
    shown: AsteriskDialplan, context: str, client: ClientRules, pattern: NumberPattern, app: str
) -> _Number:
    """Of a pattern with wildcards the example that comes least far."""
    found = []
    for number in pattern.examples():
        digits = number.e164.removeprefix("+")
        forms = dict.fromkeys((number.e164, digits, number.said_in(client.country), f"00{digits}"))
        leads = [(form, follow(shown, context, form, app)) for form in forms]
        best = min((led for _, led in leads), key=lambda led: _ORDER.index(led.lead))
        taken = next((one for one in leads if one[1].lead is Lead.ELSEWHERE), None)
        found.append(_Number(client.id, pattern, best, number.e164, taken))
    return max(found, key=lambda one: (one.is_lost, _ORDER.index(one.best.lead), one.taken is not None))


def _of_numbers(context: str, numbers: Sequence[_Number]) -> Iterator[Finding]:
    """By what is to be done, and by client where that is nothing."""
    lost = [one for one in numbers if one.is_lost]
    yield from (_lost(context, one) for one in lost[:NAMED])
    if len(lost) > NAMED:
        yield error(f"{len(lost) - NAMED} more numbers do not come to callrouter", "as above")
    here = [one for one in numbers if one.best.lead is Lead.HERE and not one.is_lost]
    for one, (form, led) in [(one, one.taken) for one in here if one.taken is not None][:NAMED]:
        what = f"calls to {one.pattern.text} of {one.client} go elsewhere if the trunk writes it as {form}"
        yield warning(f"{what}: {_taker(led)} takes them", _SEND_ON, _place(led, context))
    unclear = [one for one in numbers if one.best.lead is Lead.UNCLEAR and not one.is_lost]
    if unclear:
        first, led = unclear[0], unclear[0].best
        more = f" and {len(unclear) - 1} more numbers" if len(unclear) > 1 else ""
        what = f"whether {first.pattern.text} of {first.client}{more} comes to callrouter"
        yield not_checked(f"{what}: {_taker(led)} says so as it runs", "call it", _place(led, context))
    if here:
        clients = len({one.client for one in here})
        yield ok(f"{len(here)} number(s) of {clients} client(s) come to callrouter", f"context {context}")


def _lost(context: str, one: _Number) -> Finding:
    led, what = one.best, f"calls to {one.pattern.text} of {one.client} do not come to callrouter"
    if one.taken is not None and not one.leads_nowhere:
        form, led = one.taken
        what += f" if the trunk writes {form}"
    if led.extension is None:
        remedy = f"write `include => callrouter` as the last line of [{led.context}], then: {RELOAD}"
        return error(f"{what}: nothing in [{led.context}] takes them", remedy, f"context {context}")
    return error(f"{what}: {_taker(led)} takes them", _SEND_ON, _place(led, context))


_SEND_ON = (
    "remove that extension, or have it say Goto(callrouter,${FILTER(+0-9,${EXTEN})},1); then: " + RELOAD
)


def _taker(led: Led) -> str:
    return f"`{led.extension.pattern}` of [{led.context}]" if led.extension else f"[{led.context}]"


def _place(led: Led, context: str) -> str:
    return (led.extension and led.extension.place) or f"context {context}"
