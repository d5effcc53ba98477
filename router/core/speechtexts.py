"""What is said or played to people, as the rules have it (reading.py)."""

import re

from pydantic import ValidationInfo

from router.core.plan import CALLER, NAME, OWN_RECORDINGS, WAITED
from router.core.reading import LONGEST_TEXT, NOT_PRINTED, reading_of, text_of
from router.core.remarks import UnknownNameError

LONGEST_SPEECH = 2000
"""What is spoken may have so many."""

CLIENT = "{client}"
"""The place, in a text for who is rung, of the client's name."""

PLACES = (CLIENT, NAME, CALLER, WAITED)
"""All that such a text may have."""

_PLACE = re.compile(r"\{[^{}]*\}?|\}")
_ENDINGS = frozenset({"wav", "wav16", "gsm", "ulaw", "alaw", "sln", "sln16", "g722", "g729", "mp3", "ogg"})
"""Of files that Asterisk plays."""
_SOUND = re.compile(r"(?:sound:)?([A-Za-z0-9_./-]{1,128})")
RECORDING_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What a prompt that somebody records may be called."""

HOURS = "hours"
"""What `say: hours` says in place of a text."""


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


def read_speech(value: object, info: ValidationInfo) -> str:
    """Speech: a text, which may go on over several lines; or `hours`."""
    text = read_text_spoken(value)
    if text == HOURS and not reading_of(info).hours:
        raise ValueError("there are no hours to tell; add some under `hours:`, or write a text")
    return text


def read_text_spoken(value: object) -> str:
    """Text spoken: one that may go on over several lines."""
    text = " ".join(value.split()) if isinstance(value, str) else text_of(value)
    if not any(map(str.isalnum, text)):
        raise ValueError(f"`{text[:80]}` has nothing that can be spoken; write a text, or {{file: NAME}}")
    if len(text) > LONGEST_SPEECH:
        raise ValueError(f"the text is longer than {LONGEST_SPEECH} characters; say it in several steps")
    return text if len(text) > LONGEST_TEXT and not NOT_PRINTED.search(text) else text_of(text)


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


LOOKS = {
    read_media: _SOUND,
}
"""As in reading.py, for the readers here."""
