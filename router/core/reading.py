"""Single values of the rules: from what is written to what it means, given the names their document defines.

Each reader takes the value as YAML gave it and pydantic's `info`, whose context is a `Reading`. A ValueError
says `what is wrong; what to write instead`. The first paragraph of a reader's docstring is for people who
write rules: what the value is called, a colon, and how it is written (jsonschema.py). A reader of texts that
have a form of their own has a row in `LOOKS`.
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import wraps
from typing import Any, Literal, TypeVar, cast

import msgspec
from pydantic import ValidationInfo

from router.core import counts, times
from router.core.dialling import Dialling
from router.core.feeds import NO_CALENDARS, Calendars
from router.core.numberlists import NO_LISTS, NumberLists
from router.core.numbers import COUNTRIES, PATTERN_AS_WRITTEN, NumberPattern, PhoneNumber
from router.core.plan import CALLER, NAME, OWN_RECORDINGS, WAITED, Target
from router.core.regexes import Regex
from router.core.remarks import UnknownNameError
from router.core.tags import SHIPPED
from router.core.times import WEEKDAYS, Duration

T = TypeVar("T")

LONGEST_RING = Duration(10 * 60)
"""A round of ringing may not be longer."""

LONGEST_MESSAGE = Duration(30 * 60)
DAY = 24 * 3600
"""Seconds."""
LONGEST_WAITING = Duration(2 * 60 * 60)
"""A caller may not wait in a queue for longer."""

LONGEST_TEXT = 500
"""No single value may have more characters."""

LONGEST_CODE = 3
"""Letters of a country in ISO 3166, where it is not its two: mostly these and one more."""

LONGEST_SPEECH = 2000
"""What is spoken may have so many."""

CLIENT = "{client}"
"""The place, in a text for who is rung, of the client's name."""

PLACES = (CLIENT, NAME, CALLER, WAITED)
"""All that such a text may have."""

OWN_CODES = "8"
"""How feature codes of agents and supervisors begin (callrouter.conf)."""

_NOT_PRINTED = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_EXTENSION = re.compile(r"[0-9]{1,8}")
_CODE = re.compile(r"[0-9]{1,4}")
_COUNT = re.compile(r"[0-9]{1,9}")
_PLACE = re.compile(r"\{[^{}]*\}?|\}")
_CONTEXT = re.compile(r"[A-Za-z0-9_.-]{1,79}")
_ASTERISK_QUEUE = re.compile(r"[A-Za-z0-9_-]{1,60}")
_DIALPLAN_EXTENSION = re.compile(r"[A-Za-z0-9+*#_-]{1,79}")
_ENDPOINT = re.compile(r"PJSIP/[A-Za-z0-9_.-]{1,64}")
_NUMBER = re.compile(r"\+?[0-9]{2,15}")
_LOOKS_LIKE_NUMBER = re.compile(r"[+0-9(][0-9 ()./-]*")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Z]{2})?")
_KEY = re.compile(r"[0-9*#]")
_VALUE = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff,()${}\[\]\"\\\\]{0,200}")
_ENDINGS = frozenset({"wav", "wav16", "gsm", "ulaw", "alaw", "sln", "sln16", "g722", "g729", "mp3", "ogg"})
"""Of files that Asterisk plays."""
_SOUND = re.compile(r"(?:sound:)?([A-Za-z0-9_./-]{1,128})")
RECORDING_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What a prompt that somebody records may be called."""
_MAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,9}")
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:[/?][!-~]*)?")
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,64}(?:/[A-Za-z0-9_-]{1,64}){0,4}")
_KINDS = {dict: "a mapping", list: "a list", bool: "true or false", type(None): "nothing"}


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
        raise ValueError(f"text is needed here, not {_KINDS[type(value)]}; write one value")
    text = value.strip()
    if not text:
        raise ValueError("the text is empty; write something or leave the key out")
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"the text is longer than {LONGEST_TEXT} characters; shorten it")
    if not text.isprintable() and _NOT_PRINTED.search(text):
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


def _reading(info: ValidationInfo) -> Reading:
    return cast(Reading, info.context)


def _known(name: str, names: Collection[str], key: str, what: str, info: ValidationInfo) -> str:
    if name not in names:
        otherwise = f"add it under `{key}:`"
        if _reading(info).shared:
            otherwise = "name here only what is no client's own, such as PJSIP/100"
        raise UnknownNameError.among(f"{what} `{name}`", name, names, otherwise)
    return name


def read_id(value: object) -> str:
    """Id: begins with a letter; letters, digits, `_`, `.` and `-`."""
    text = text_of(value)
    if not _ID.fullmatch(text):
        raise ValueError(f"`{text[:80]}` is not an id; begin with a letter and use letters, digits, _ . -")
    return text


def read_variable_name(value: object) -> str:
    """Variable: the name of a variable of the dialplan, of letters, digits and `_`."""
    text = text_of(value)
    if not _VARIABLE.fullmatch(text):
        raise ValueError(f"`{text[:80]}` is not the name of a variable; use letters, digits and _")
    return text


def read_set_variable(value: object) -> str:
    """Variable to set: the name of a variable of the dialplan, of letters, digits and `_`; none of
    callrouter's own, which begin with CALLROUTER_."""
    name = read_variable_name(value)
    if name.lstrip("_").upper().startswith("CALLROUTER_"):
        raise ValueError(f"`{name}` is callrouter's own; give the variable another name")
    return name


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


def read_pattern(value: object, info: ValidationInfo) -> NumberPattern:
    """Number pattern: a number as people write it, national or with `+`;
    `x` is any digit, a trailing `*` any rest."""
    return NumberPattern.parse(text_of(value), _reading(info).country)


Contacts = Literal["contacts"]
CONTACTS: Contacts = "contacts"
"""In a client's list of callers: everybody whom it knows."""


def read_listed(value: object, info: ValidationInfo) -> NumberPattern | Contacts:
    """Listed caller: a number pattern, or `contacts` for everybody whom the client knows."""
    return CONTACTS if value == CONTACTS else read_pattern(value, info)


def read_regex(value: object) -> Regex:
    r"""Regular expression of numbers: RE2, found anywhere in the caller's number as E.164 unless `^` and `$`
    say otherwise, as in '^\+4781[0-9]{6}$'; in single quotes."""
    return Regex.parse("regex", text_of(value))


def read_display(value: object) -> Regex:
    """Regular expression of names: RE2, found anywhere in the name that the caller's side shows; `(?i)` at
    its beginning takes capitals and small letters for the same."""
    return Regex.parse("display", text_of(value))


def read_list_file(value: object, info: ValidationInfo) -> str:
    """List file: a table with numbers beside the rules, named from their folder, as in `lists/ads.csv`."""
    return _reading(info).files.find(text_of(value))


def admit_list(name: str, min_votes: int, info: ValidationInfo) -> None:
    """ValueError where a list is read in too many ways."""
    _reading(info).files.admit(name, min_votes)


def read_calendar_file(value: object, info: ValidationInfo) -> str:
    """Calendar file: an iCalendar beside the rules, named from their folder, as in `calendars/closed.ics`."""
    return _reading(info).calendars.find(text_of(value))


def read_calendar_url(value: object) -> str:
    """Calendar address: where an iCalendar is fetched from, `https://...` or `http://...`."""
    text = text_of(value)
    if not _URL.fullmatch(text):
        hint = "write https:// in place of webcal://" if text.startswith("webcal:") else "begin with https://"
        raise ValueError(f"`{text[:60]}` is not the address of a calendar; {hint}")
    return text


def read_web_address(value: object) -> str:
    """Web address: where something is posted to, `https://...`, or `http://...` within one's own net."""
    text = text_of(value)
    if not _URL.fullmatch(text):
        raise ValueError(f"`{text[:60]}` is not an address on the web; begin with https://")
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


def read_list_name(value: object, info: ValidationInfo) -> str:
    """Name of a list: one of the `lists` in shared.yaml."""
    text, lists = text_of(value), _reading(info).lists
    if text not in lists:
        otherwise = "add it to shared.yaml under `lists:`"
        raise UnknownNameError.among(f"no list is called `{text}`", text, lists, otherwise)
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
    return _known(text_of(value), _reading(info).hours, "hours", "no hours are called", info)


def read_person(value: object, info: ValidationInfo) -> str:
    """Person: the id of one of the client's `people`."""
    return _known(text_of(value), _reading(info).people, "people", "nobody here is", info)


def read_route(value: object, info: ValidationInfo) -> str:
    """Route name: the `name` of one of the client's `routes`."""
    return _known(text_of(value), _reading(info).routes, "routes", "no route is called", info)


def read_queue_name(value: object, info: ValidationInfo) -> str:
    """Name of a queue: one of the client's `queues`."""
    return _known(text_of(value), _reading(info).queues, "queues", "no queue is called", info)


def read_tag_name(value: object, info: ValidationInfo) -> str:
    """Tag: one that ships, or one of `tags` in the client's file or in shared.yaml."""
    return _known(text_of(value), _reading(info).tags, "tags", "no tag is called", info)


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


def read_variable_value(value: object) -> str:
    """Value of a variable: a text without commas, brackets, quotes, `$` and backslashes."""
    text = text_of(value)
    if not _VALUE.fullmatch(text):
        raise ValueError(
            f"`{text[:80]}` would mean something else to the dialplan; "
            "write at most 200 characters, without commas, brackets, quotes, $ and backslashes"
        )
    return text


def read_context(value: object) -> str:
    """Context: letters, digits, `_`, `.` and `-`."""
    text = text_of(value)
    if not _CONTEXT.fullmatch(text):
        raise ValueError(f"`{text[:80]}` is not a context of the dialplan; use letters, digits, _ . -")
    return text


def read_asterisk_queue(value: object) -> str:
    """Queue of Asterisk's: letters, digits, `_` and `-`, at most 60."""
    text = text_of(value)
    if not _ASTERISK_QUEUE.fullmatch(text):
        what = f"`{text[:80]}` is no name of a queue in queues.conf that can be handed on"
        raise ValueError(f"{what}; use at most 60 letters, digits, _ -")
    return text


def read_music_class(value: object) -> str:
    """Class of music: letters, digits, `_`, `.` and `-`."""
    text = text_of(value)
    if not _CONTEXT.fullmatch(text):
        raise ValueError(f"`{text[:80]}` is not a class of music on hold; use letters, digits, _ . -")
    return text


def read_dialplan_extension(value: object) -> str:
    """Dialplan extension: letters, digits, `+`, `*`, `#`, `_` and `-`."""
    text = text_of(value)
    if not _DIALPLAN_EXTENSION.fullmatch(text):
        raise ValueError(f"`{text[:80]}` is not an extension of the dialplan; use letters, digits, + * # _ -")
    return text


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


def read_duration(value: object) -> Duration:
    return Duration.parse(text_of(value))


def read_ring_for(value: object) -> Duration:
    """Time to ring: as in `25s` or `1m30s`, from 1s to 10m."""
    duration = read_duration(value)
    if not Duration(0) < duration <= LONGEST_RING:
        raise ValueError(f"`{value}` is no time to ring; write 1s to {LONGEST_RING}")
    return duration


def read_wait_for(value: object) -> Duration:
    """Time to wait: as in `5m` or `1m30s`, from 1s to 2h."""
    duration = read_duration(value)
    if not Duration(0) < duration <= LONGEST_WAITING:
        raise ValueError(f"`{value}` is no time to wait; write 1s to {LONGEST_WAITING}")
    return duration


def read_callback_within(value: object) -> Duration:
    """Time to call back: as in `4h`, from 1m to 7d."""
    duration = read_duration(value)
    if not Duration(60) <= duration <= Duration(7 * DAY):
        raise ValueError(f"`{value}` is no time to call back; write 1m to 7d")
    return duration


def read_interval(value: object) -> Duration:
    """Interval: as in `45s`, from 10s to 1h."""
    duration = read_duration(value)
    if not Duration(10) <= duration <= Duration(3600):
        raise ValueError(f"`{value}` is no interval; write 10s to 1h")
    return duration


def read_pause(value: object) -> Duration:
    """Pause: as in `20s`, at most 1h; `0s` is none."""
    duration = read_duration(value)
    if duration > Duration(3600):
        raise ValueError(f"`{value}` is too long a pause; write at most 1h")
    return duration


def read_keep(value: object) -> Duration:
    """Time to keep: as in `90d`, from 1d to 3650d, whole days."""
    duration = read_duration(value)
    if not Duration(DAY) <= duration <= Duration(3650 * DAY) or duration.seconds % DAY:
        raise ValueError(f"`{value}` is no time to keep; write 1d to 3650d")
    return duration


def read_call_back_within(value: object) -> Duration:
    """Time to call back in: as in `2h`, from 1m to 90d."""
    duration = read_duration(value)
    if not Duration(60) <= duration <= Duration(90 * DAY):
        raise ValueError(f"`{value}` is no time to call back in; write 1m to 90d")
    return duration


def read_do_not_contact(value: object) -> Duration:
    """Time not to be called: as in `90d`, from 1h to 3650d."""
    duration = read_duration(value)
    if not Duration(3600) <= duration <= Duration(3650 * DAY):
        raise ValueError(f"`{value}` is no time not to be called; write 1h to 3650d")
    return duration


def read_message_length(value: object) -> Duration:
    """Length of a message: as in `3m`, from 1s to 30m."""
    duration = read_duration(value)
    if not Duration(0) < duration <= LONGEST_MESSAGE:
        raise ValueError(f"`{value}` is no length of a message; write 1s to {LONGEST_MESSAGE}")
    return duration


def each_day_once(week: dict[tuple[int, ...], T]) -> dict[tuple[int, ...], T]:
    days = [day for days in week for day in days]
    twice = [WEEKDAYS[day] for day in sorted(set(days)) if days.count(day) > 1]
    if twice:
        raise ValueError(f"{', '.join(twice)} is in two entries; name each day once")
    return week


def read_media(value: object) -> str:
    """Recorded file: its name among Asterisk's sounds; `hello` and `sound:hello` are the same. What
    `callrouter prompts record NAME` has recorded is `recorded/NAME`.

    An Asterisk media URI, once read.
    """
    text = text_of(value)
    found = _SOUND.fullmatch(text)
    if found is None or ".." in text:
        raise ValueError(f"`{text[:80]}` is not a recorded file; write sound:NAME, as in sound:hello-world")
    name, dot, ending = found.group(1).rpartition(".")
    if dot and ending in _ENDINGS:
        raise ValueError(f"Asterisk finds the ending of `{found.group(1)}` by itself; write {name}")
    media = f"sound:{found.group(1)}"
    own = media.removeprefix(OWN_RECORDINGS)
    if own != media and not RECORDING_NAME.fullmatch(own):
        what = f"nothing is ever recorded as `{found.group(1)}`"
        raise ValueError(f"{what}; write recorded/NAME, in at most 64 letters, digits, - and _")
    return media


HOURS = "hours"
"""What `say: hours` says in place of a text."""


def read_speech(value: object, info: ValidationInfo) -> str:
    """Speech: a text, which may go on over several lines; or `hours`."""
    text = read_text_spoken(value)
    if text == HOURS and not _reading(info).hours:
        raise ValueError("there are no hours to tell; add some under `hours:`, or write a text")
    return text


def read_text_spoken(value: object) -> str:
    """Text spoken: one that may go on over several lines."""
    text = " ".join(value.split()) if isinstance(value, str) else text_of(value)
    if not any(map(str.isalnum, text)):
        raise ValueError(f"`{text[:80]}` has nothing that can be spoken; write a text, or {{file: NAME}}")
    if len(text) > LONGEST_SPEECH:
        raise ValueError(f"the text is longer than {LONGEST_SPEECH} characters; say it in several steps")
    return text if len(text) > LONGEST_TEXT and not _NOT_PRINTED.search(text) else text_of(text)


def read_whisper(value: object, info: ValidationInfo) -> str:
    """Whisper: a text, in which `{client}` is the client's name, `{name}` the caller's, as the client's
    contacts have it, `{caller}` the caller's number, digit by digit, and `{waited}` how long the caller has
    waited, as in `3 minutes`; or `hours`."""
    return _with_places(read_speech(value, info))


def read_question(value: object) -> str:
    """Question: a text on one line, in which `{client}` is the client's name, `{name}` the caller's, as the
    client's contacts have it, `{caller}` the caller's number, digit by digit, and `{waited}` how long the
    caller has waited."""
    return _with_places(text_of(value))


def _with_places(text: str) -> str:
    for name in _PLACE.findall(text):
        if name not in PLACES:
            otherwise = f"write {', '.join(PLACES[:-1])} or {PLACES[-1]}, or no braces"
            raise UnknownNameError.among(f"`{name[:60]}` stands for nothing here", name, PLACES, otherwise)
    return text


def read_outside_number(value: object, info: ValidationInfo) -> Target:
    """Outside number: national or with `+`, and among the destinations that the settings allow."""
    text, reading = text_of(value), _reading(info)
    number = PhoneNumber.parse(text, reading.country)
    refusal = reading.dialling.refusal(number, reading.country)
    # A client without its country is refused for that.
    if refusal is not None and (reading.country or reading.shared or not reading.dialling.trunk):
        raise ValueError(refusal)
    return reading.dialling.outside(number, number.e164)


def read_phone(value: object, info: ValidationInfo) -> Target:
    """Phone: `PJSIP/ENDPOINT` or an outside number."""
    text = text_of(value)
    if _ENDPOINT.fullmatch(text):
        return Target(text, text)
    if _LOOKS_LIKE_NUMBER.fullmatch(text):
        return read_outside_number(text, info)
    raise ValueError(f"`{text[:80]}` cannot be rung; write PJSIP/ENDPOINT or a number such as +4722334455")


def read_ring_target(value: object, info: ValidationInfo) -> Target | PersonRef:
    """Who to ring: a person's id, `PJSIP/ENDPOINT` or an outside number; `self` in a person's own `do`."""
    text = text_of(value)
    if text == SELF:
        return PersonRef(SELF)
    if _ID.fullmatch(text):
        return PersonRef(_known(text, _reading(info).people, "people", "nobody here is", info))
    return read_phone(text, info)


def whole_list(value: object) -> object:
    """A list in shared.yaml, if it says where its numbers are."""
    if isinstance(value, dict) and not {"numbers", "file"} & value.keys():
        raise ValueError("this list has no numbers; give it `numbers:` or `file:`")
    return value


def form_of(value: object) -> str:
    """Tells pydantic which form of a union is written: its tag is never a key of a document. What is no plain
    data has been read before, from a mapping."""
    return "<text>" if value is None or isinstance(value, str | bool | list) else "<mapping>"


def queue_form(value: Any) -> str:
    """Tells the same of a `queue` step: one of the client's by its name, or `{asterisk: NAME}`."""
    return "<asterisk>" if isinstance(value.get("queue"), dict) else "<own>"


def entry_form(value: object) -> str:
    """The same for an entry of a screening list, `{file: ...}`, `{list: ...}`, `{regex: ...}`,
    `{display: ...}` or a pattern."""
    return "<list>" if isinstance(value, dict) and "list" in value else shared_form(value)


def shared_form(value: object) -> str:
    """The same for an entry of a list in shared.yaml, which has no list in it."""
    kinds = [kind for kind in ("regex", "display") if isinstance(value, dict) and kind in value]
    return f"<{kinds[0]}>" if kinds else form_of(value)


def list_form(value: object) -> str:
    """The same for a list in shared.yaml, `{numbers: ...}` or `{file: ...}`."""
    return "<numbers>" if isinstance(value, dict) and "numbers" in value else "<file>"


def calendar_form(value: object) -> str:
    """The same for a calendar, `{file: ...}` or `{url: ...}`."""
    return "<url>" if isinstance(value, dict) and "url" in value else "<file>"


def treatment_form(value: object) -> str:
    """The same for how a caller is refused, `{say: ...}` or `{challenge: ...}`."""
    return "<challenge>" if isinstance(value, dict) and "challenge" in value else form_of(value)


def confirm_form(value: object) -> str:
    """The same for `confirm`."""
    return "<bool>" if isinstance(value, bool) else "<text>"


def bare_step(value: object, steps: Mapping[str, Any]) -> object:
    """`hangup` is short for `{hangup: null}`. ValueError where `value` is not exactly one known step."""
    if isinstance(value, str):
        value = {value: None}
    if not isinstance(value, dict):
        raise ValueError(f"a step is needed here, not {_KINDS[type(value)]}; write one of {', '.join(steps)}")
    named = [key for key in value if key in steps]
    if len(named) > 1:
        raise ValueError(f"two steps in one: {', '.join(named)}; write each as its own entry, with `- `")
    if not named:
        first, otherwise = next(iter(value), ""), f"write one of {', '.join(steps)}"
        raise UnknownNameError.among(f"`{first[:60]}` is not a step", first, steps, otherwise)
    return value


LOOKS: Mapping[Callable[..., Any], re.Pattern[str]] = {
    **times.LOOKS,
    **counts.LOOKS,
    read_id: _ID,
    read_variable_name: _VARIABLE,
    read_set_variable: _VARIABLE,
    read_extension: _EXTENSION,
    read_country: re.compile(r"[A-Z]{2}"),
    read_pattern: PATTERN_AS_WRITTEN,
    read_listed: re.compile(f"{PATTERN_AS_WRITTEN.pattern}|{CONTACTS}"),
    read_votes: _COUNT,
    read_places: _COUNT,
    read_number: _COUNT,
    read_language: _LANGUAGE,
    read_interval: times.LOOKS[Duration.parse],
    read_pause: times.LOOKS[Duration.parse],
    read_calendar_file: re.compile(r".*\.[iI][cC][sS]"),
    read_calendar_url: _URL,
    read_web_address: _URL,
    read_mail: _MAIL,
    read_keep: times.LOOKS[Duration.parse],
    read_call_back_within: times.LOOKS[Duration.parse],
    read_do_not_contact: times.LOOKS[Duration.parse],
    read_topic: _TOPIC,
    read_message_length: times.LOOKS[Duration.parse],
    read_context: _CONTEXT,
    read_music_class: _CONTEXT,
    read_asterisk_queue: _ASTERISK_QUEUE,
    read_dialplan_extension: _DIALPLAN_EXTENSION,
    read_ring_for: times.LOOKS[Duration.parse],
    read_key: _KEY,
    read_code: _CODE,
    read_callback_key: _KEY,
    read_callback_within: times.LOOKS[Duration.parse],
    read_variable_value: _VALUE,
    read_wait_for: times.LOOKS[Duration.parse],
    read_media: _SOUND,
    read_outside_number: PATTERN_AS_WRITTEN,
    read_phone: re.compile(f"{_ENDPOINT.pattern}|{_LOOKS_LIKE_NUMBER.pattern}"),
    read_ring_target: re.compile(f"{_ID.pattern}|{_ENDPOINT.pattern}|{_LOOKS_LIKE_NUMBER.pattern}"),
}
"""Reader -> what the texts that it takes look like, for editors. More may look like it than it takes. The
patterns are within what Python and ECMA 262 (JSON Schema) have in common."""
