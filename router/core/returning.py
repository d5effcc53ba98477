"""At which number a caller can be called back: what the display shows, or what the caller keyed in."""

from router.core.events import NumberRead
from router.core.numbers import PhoneNumber
from router.core.ruleset import RuleSet


def read_number(text: str, client: str | None, rules: RuleSet) -> NumberRead:
    """`text` as a number at which somebody at the client can call back; national ones are read in the
    client's country.

    None is one that costs extra, nor one of any client's own, from where the call would come back to us.
    """
    known = rules.clients.get(client) if client else None
    country = known.country if known else None
    try:
        number = PhoneNumber.parse(text, country)
    except ValueError:
        return NumberRead(text)
    if rules.numbers.find(number) is not None:
        return NumberRead(text, own=True)
    if number.is_premium:
        return NumberRead(text)
    return NumberRead(text, number.e164, number.said_in(country))
