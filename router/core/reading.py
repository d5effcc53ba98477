"""Single values of the rules: from what is written to what it means, given the names their document defines.

Each reader takes the value as YAML gave it and pydantic's `info`, whose context is a `Reading`. A ValueError
says `what is wrong; what to write instead`. The first paragraph of a reader's docstring is for people who
write rules: what the value is called, a colon, and how it is written (jsonschema.py). A reader of texts that
have a form of their own has a row in `LOOKS`.

Here is what all readers share, and those of names and of what has a file's or a net's address; others are in
numbertexts.py, lengths.py, speechtexts.py and dialplanwords.py.
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar, cast

import msgspec
from pydantic import ValidationInfo

from router.core.dialling import Dialling
from router.core.feeds import NO_CALENDARS, Calendars
from router.core.numberlists import NO_LISTS, NumberLists
from router.core.numbers import COUNTRIES
from router.core.remarks import UnknownNameError
from router.core.tags import SHIPPED
from router.core.times import WEEKDAYS

T = TypeVar("T")

LONGEST_TEXT = 500
"""No single value may have more characters."""

LONGEST_CODE = 3
"""Letters of a country in ISO 3166, where it is not its two: mostly these and one more."""

OWN_CODES = "8"
"""How feature codes of agents and supervisors begin (callrouter.conf)."""

NOT_PRINTED = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_EXTENSION = re.compile(r"[0-9]{1,8}")
_CODE = re.compile(r"[0-9]{1,4}")
_COUNT = re.compile(r"[0-9]{1,9}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Z]{2})?")
_KEY = re.compile(r"[0-9*#]")
_MAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,9}")
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:[/?][!-~]*)?")
_USER = re.compile(r"[A-Za-z]+://[^/?#]*@")
"""An address with one, and maybe a password."""
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,64}(?:/[A-Za-z0-9_-]{1,64}){0,4}")
KINDS = {dict: "a mapping", list: "a list", bool: "true or false", type(None): "nothing"}


class Reading(msgspec.Struct, frozen=True):
    """What the values of one document are read with."""

    country: str | None
    people: Collection[str]
    hours: Collection[str]
    routes: Collection[str]
    dialling: Dialling
    shared: bool = False
    """It is what clients share, where none of their names are known."""
    queues: Collection[str] = ()
    tags: Collection[str] = frozenset(SHIPPED)
    """Those that ship, and those of the client and of shared.yaml."""
    lists: Collection[str] = ()
    """Names of the lists in shared.yaml."""
    files: NumberLists = NO_LISTS
    calendars: Calendars = NO_CALENDARS

    @classmethod
    def of(
        cls,
        data: Any,
        dialling: Dialling,
        lists: Collection[str] = (),
        files: NumberLists = NO_LISTS,
        tags: tuple[str, ...] = (),
        calendars: Calendars = NO_CALENDARS,
    ) -> "Reading":
        """From a client's document that is not yet checked. `tags` are those that clients share."""
        document = data if isinstance(data, dict) else {}
        country = document.get("country")
        names = [document.get(key) for key in ("people", "hours", "queues", "tags")]
        people, hours, queues, own = (found.keys() if isinstance(found, dict) else () for found in names)
        routes = document.get("routes")
        named = (
            [one.get("name") for one in routes if isinstance(one, dict)] if isinstance(routes, list) else []
        )
        return cls(
            country=country if country in COUNTRIES else None,
            people=people,
            hours=hours,
            routes=dict.fromkeys(name for name in named if isinstance(name, str)),
            dialling=dialling,
            queues=queues,
            tags=dict.fromkeys((*SHIPPED, *tags, *own)),
            lists=lists,
            files=files,
            calendars=calendars,
        )


SELF = "self"
"""Whose treatment it is, within a person's own `do:`."""


class PersonRef(msgspec.Struct, frozen=True):
    """Somebody of the client's `people`, to be rung; or SELF."""

    id: str


def text_of(value: object) -> str:
    """Text: anything on one line."""
    if not isinstance(value, str):
        raise ValueError(f"text is needed here, not {KINDS[type(value)]}; write one value")
    text = value.strip()
    if not text:
        raise ValueError("the text is empty; write something or leave the key out")
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"the text is longer than {LONGEST_TEXT} characters; shorten it")
    if not text.isprintable() and NOT_PRINTED.search(text):
        raise ValueError("the text has line breaks or control characters; write it on one line")
    return text


def listed(value: object) -> object:
    """A single value stands for a list of one."""
    return value if isinstance(value, list) else [value]


def reader(read: Callable[[str], T]) -> Callable[[object], T]:
    """For pydantic: `read` of a value that must be text."""

    @wraps(read)
    def read_value(value: object) -> T:
        return read(text_of(value))

    return read_value


def reading_of(info: ValidationInfo) -> Reading:
    """What the value's document is read with."""
    return cast(Reading, info.context)


_IN_SHARED: Mapping[str, str] = {
    "hours": "hours are each client's own, so write what goes by them in the client's own file",
    "queues": "queues are each client's own, so write what goes by them in the client's own file",
    "people": "people are each client's own, so leave them out, or write this in the client's own file",
    "routes": "routes are each client's own, so leave them out, or write this in the client's own file",
    "tags": "add it under `tags:` here, or write what goes by a client's own tag in the client's file",
}
"""What to write in shared.yaml where a name is not known, by the key that it would be under."""


def known(
    name: str, names: Collection[str], key: str, what: str, info: ValidationInfo, in_shared: str = ""
) -> str:
    """A name that is among those that the document has under `key`; `what` says of one that is not, and
    `in_shared` what to write instead in shared.yaml, if not as everywhere there."""
    if name not in names:
        otherwise = f"add it under `{key}:`"
        if reading_of(info).shared:
            otherwise = in_shared or _IN_SHARED[key]
        raise UnknownNameError.among(f"{what} `{name}`", name, names, otherwise)
    return name


def read_id(value: object) -> str:
    """Id: begins with a letter; letters, digits, `_`, `.` and `-`."""
    text = text_of(value)
    if not ID.fullmatch(text):
        raise ValueError(f"`{text[:80]}` is not an id; begin with a letter and use letters, digits, _ . -")
    return text


def read_extension(value: object) -> str:
    """Extension: digits, at most 8."""
    text = text_of(value)
    if not _EXTENSION.fullmatch(text):
        raise ValueError(f"`{text[:80]}` is not an extension; write digits, at most 8")
    return text


def read_code(value: object) -> str:
    """Code: digits, at most 4; those that begin with 8 are the product's own."""
    text = text_of(value)
    if not _CODE.fullmatch(text):
        raise ValueError(f"`{text[:80]}` is not a code; write digits, at most 4")
    if text.startswith(OWN_CODES):
        raise ValueError(f"`{text}` is one of the product's own; begin with another digit than {OWN_CODES}")
    return text


def read_country(value: object) -> str:
    """Country: its two letters (ISO 3166), as in `NO`."""
    text = text_of(value)
    if text not in COUNTRIES:
        meant = text[:2].upper() if len(text) <= LONGEST_CODE else ""
        instead = "write its two letters (ISO 3166), as in NO"
        if meant in COUNTRIES:
            instead = f"did you mean `{meant}`?"
        raise ValueError(f"`{text[:80]}` is not a country; {instead}")
    return text


def read_calendar_file(value: object, info: ValidationInfo) -> str:
    """Calendar file: an iCalendar beside the rules, named from their folder, as in `calendars/closed.ics`."""
    return reading_of(info).calendars.find(text_of(value))


def read_calendar_url(value: object) -> str:
    """Calendar address: where an iCalendar is fetched from, `https://...` or `http://...`."""
    text = _without_user(text_of(value))
    if not _URL.fullmatch(text):
        hint = "write https:// in place of webcal://" if text.startswith("webcal:") else "begin with https://"
        raise ValueError(f"`{text[:60]}` is not the address of a calendar; {hint}")
    return text


def read_web_address(value: object) -> str:
    """Web address: where something is posted to, `https://...`, or `http://...` within one's own net."""
    signed = ": what is posted is signed with the secret of `webhooks.secret_file` in the settings"
    text = _without_user(text_of(value), signed)
    if not _URL.fullmatch(text):
        raise ValueError(f"`{text[:60]}` is not an address on the web; begin with https://")
    return text


def _without_user(text: str, instead: str = "") -> str:
    """An address as it is, if it has no user and password, which are not told again."""
    if _USER.match(text):
        raise ValueError(f"an address here may have no user and password; leave them out{instead}")
    return text


def read_mail(value: object) -> str:
    """Mail address: as in `kari@fjord.example`."""
    text = text_of(value)
    if not _MAIL.fullmatch(text):
        raise ValueError(f"`{text[:60]}` is not a mail address; write it as in kari@fjord.example")
    return text


def read_topic(value: object) -> str:
    """Topic: what follows the product's own part of an MQTT topic; letters, digits, `_`, `-` and `/`."""
    text = text_of(value)
    if not _TOPIC.fullmatch(text):
        raise ValueError(f"`{text[:60]}` is no part of a topic; use letters, digits, _ - and / between them")
    return text


def read_votes(value: object) -> int:
    """Votes: a whole number."""
    text = text_of(value)
    if not _COUNT.fullmatch(text):
        raise ValueError(f"`{text[:80]}` is not a number of votes; write digits, as in min_votes: 10")
    return int(text)


def read_places(value: object) -> int:
    """Places: a whole number, at least 1."""
    text = text_of(value)
    if not _COUNT.fullmatch(text) or not int(text):
        raise ValueError(f"`{text[:80]}` is no number of places; write digits, as in max_waiting: 20")
    return int(text)


def read_missed(value: object) -> int:
    """Calls left unanswered: a whole number, at least 1."""
    text = text_of(value)
    if not _COUNT.fullmatch(text) or not int(text):
        raise ValueError(f"`{text[:80]}` is no number of calls; write digits, as in pause_after: 3")
    return int(text)


def read_number(value: object) -> int:
    """Number: a whole number."""
    text = text_of(value)
    if not _COUNT.fullmatch(text):
        raise ValueError(f"`{text[:80]}` is no whole number; write digits, as in waiting: 6")
    return int(text)


def read_language(value: object) -> str:
    """Language: its code, as in `nb` or `en-GB`."""
    text = text_of(value)
    if not _LANGUAGE.fullmatch(text):
        raise ValueError(f"`{text[:80]}` is not a language; write its code, as in nb or en-GB")
    return text


def read_hours_name(value: object, info: ValidationInfo) -> str:
    """Name of hours: one of the client's `hours`."""
    return known(text_of(value), reading_of(info).hours, "hours", "no hours are called", info)


def read_person(value: object, info: ValidationInfo) -> str:
    """Person: the id of one of the client's `people`."""
    return known(text_of(value), reading_of(info).people, "people", "nobody here is", info)


def read_route(value: object, info: ValidationInfo) -> str:
    """Route name: the `name` of one of the client's `routes`."""
    return known(text_of(value), reading_of(info).routes, "routes", "no route is called", info)


def read_queue_name(value: object, info: ValidationInfo) -> str:
    """Name of a queue: one of the client's `queues`."""
    return known(text_of(value), reading_of(info).queues, "queues", "no queue is called", info)


def read_tag_name(value: object, info: ValidationInfo) -> str:
    """Tag: one that ships, or one of `tags` in the client's file or in shared.yaml."""
    return known(text_of(value), reading_of(info).tags, "tags", "no tag is called", info)


def read_key(value: object) -> str:
    """Key: 0 to 9, `*` or `#`."""
    text = text_of(value)
    if not _KEY.fullmatch(text) or text != value:
        raise ValueError(f"`{text[:80]}` is no key of a phone; write 0 to 9, * or #")
    return text


def read_callback_key(value: object) -> str:
    """Key to be called back by: 1 to 9, `*` or `#`; 0 ends the waiting."""
    key = read_key(value)
    if key == "0":
        raise ValueError("by 0 callers wait no longer; choose another key, such as 1")
    return key


def forward(ends: tuple[datetime, datetime]) -> tuple[datetime, datetime]:
    """A period as it is, if it has a length."""
    if ends[1] <= ends[0]:
        raise ValueError("this ends before it begins; write the earlier moment first")
    return ends


def after_from(until: datetime, info: ValidationInfo) -> datetime:
    """The end of what has its beginning in `from`, if it has a length."""
    if "from_" in info.data:
        forward((info.data["from_"], until))
    return until


def each_day_once(week: dict[tuple[int, ...], T]) -> dict[tuple[int, ...], T]:
    days = [day for days in week for day in days]
    twice = [WEEKDAYS[day] for day in sorted(set(days)) if days.count(day) > 1]
    if twice:
        raise ValueError(f"{', '.join(twice)} is in two entries; name each day once")
    return week


LOOKS: Mapping[Callable[..., Any], re.Pattern[str]] = {
    read_id: ID,
    read_extension: _EXTENSION,
    read_country: re.compile(r"[A-Z]{2}"),
    read_votes: _COUNT,
    read_places: _COUNT,
    read_number: _COUNT,
    read_language: _LANGUAGE,
    read_calendar_file: re.compile(r".*\.[iI][cC][sS]"),
    read_calendar_url: _URL,
    read_web_address: _URL,
    read_mail: _MAIL,
    read_topic: _TOPIC,
    read_key: _KEY,
    read_code: _CODE,
    read_callback_key: _KEY,
}
"""Of the readers here; all are put together in jsonschema.py."""
