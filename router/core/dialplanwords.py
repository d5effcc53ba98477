"""Names and values that the dialplan has its own rules for (reading.py)."""

import re

from router.core.reading import text_of

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_CONTEXT = re.compile(r"[A-Za-z0-9_.-]{1,79}")
_ASTERISK_QUEUE = re.compile(r"[A-Za-z0-9_-]{1,60}")
_DIALPLAN_EXTENSION = re.compile(r"[A-Za-z0-9+*#_-]{1,79}")
_VALUE = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff,()${}\[\]\"\\\\]{0,200}")


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


LOOKS = {
    read_variable_name: _VARIABLE,
    read_set_variable: _VARIABLE,
    read_context: _CONTEXT,
    read_music_class: _CONTEXT,
    read_asterisk_queue: _ASTERISK_QUEUE,
    read_dialplan_extension: _DIALPLAN_EXTENSION,
    read_variable_value: _VALUE,
}
"""As in reading.py, for the readers here."""
