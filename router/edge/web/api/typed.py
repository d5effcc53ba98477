"""Numbers of telephones and lengths of time, as requests have them."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from msgspec import Meta

from router.core.remarks import did_you_mean
from router.core.times import Duration
from router.edge.web.api.problems import NOT_MEANT, ProblemError
from router.edge.web.api.routes import WRITE, Asking

Number = Annotated[
    str, Meta(pattern=r"^[+0-9(][0-9 ()./-]{0,39}$", extra={WRITE: "a number, as in +4722334455"})
]
Length = Annotated[str, Meta(max_length=20)]


def number_of(asking: Asking[Any, Any], text: str, client: str | None) -> str:
    """A number in E.164; without + it is read in that client's country. ProblemError says what is wrong."""
    rules = asking.powers.rules()
    if client is not None and client not in rules.clients:
        hint = did_you_mean(client, rules.clients, "GET /rules lists them")
        raise ProblemError(NOT_MEANT, f"no client is called `{client}`; {hint}")
    try:
        return rules.read_number(text, client).e164
    except ValueError as error:
        raise ProblemError(NOT_MEANT, str(error)) from error


def until(length: str | None, now: datetime) -> datetime | None:
    """The moment when so long, as in `30d`, is over; None for no length. ProblemError says what is wrong."""
    if length is None:
        return None
    try:
        seconds = Duration.parse(length).seconds
        if not seconds:
            raise ValueError(f"`{length}` is no time at all; write it as in 30d or 12h")
        return now + timedelta(seconds=seconds)
    except (ValueError, OverflowError) as error:
        raise ProblemError(NOT_MEANT, f"`for`: {error}") from error
