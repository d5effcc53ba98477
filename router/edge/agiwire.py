"""Between AGI's words and ours: requests and replies read, commands written. Pure.

Asterisk sends variables of the channel, a line each and an empty line after the last, and then takes commands
(res_agi.c, setup_env). It does not clean what the caller's side sent: a number with a line break in it would
add lines of the caller's own, or end them early. So no variable may come twice, those that come last must be
there, and the first reply must repeat a word that nobody outside can know (`question`): with lines left over
from the request, it does not.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from router.core.arrival import Arriving
from router.core.numbers import MAX_CALLER_TEXT
from router.edge.ari import wire

ROUTE, REACHED = "route", "reached"
"""What is asked for: agi://HOST/route, and .../reached."""

DONE = "200 result=1"
HUNG_UP = "HANGUP"
"""Said at any moment, when the caller has left."""

_LINE = re.compile(r"(agi_[a-z0-9_]{1,60}): ?(.*)", re.DOTALL)
_LAST = "agi_threadid"
"""After it only arguments come, which are the dialplan's own."""
_NUMBER = re.compile(r"[-+0-9 .()/]*")
_NO_DIGITS = re.compile(r"[^+0-9]")
_UNKNOWN = "unknown"
"""What stands for a number or name that is not there."""
_RESTRICTED, _OF_PRESENTATION = 0x20, 0x60
"""A presentation by which the caller withholds the number (ITU-T Q.951; Asterisk's callerid.h)."""


class MalformedError(ValueError):
    """This is no request that Asterisk makes; the text says why."""


class Asked(NamedTuple):
    """A request."""

    script: str
    dialled: str
    number: str
    """The caller's, cleaned as the dialplan callrouter.conf does it; empty where it is withheld or none."""
    name: str
    channel: str
    """Asterisk's id of the caller's channel."""
    arguments: tuple[str, ...] = ()
    """What the dialplan has written behind the script."""

    def arriving(self, variables: str) -> Arriving:
        """The call as it comes in; `variables` is what the dialplan has in CALLROUTER_VARIABLES."""
        entrance = wire.read_entrance((wire.ARRIVAL, self.dialled, *variables.split(",")))
        assert entrance is not None
        return Arriving(self.dialled, self.number, self.name, entrance.variables)


def read_request(lines: Iterable[str]) -> Asked:
    """Read the lines before the empty one. Raises MalformedError."""
    values: dict[str, str] = {}
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is None:
            raise MalformedError("a line is no variable of AGI")
        if found[1] in values:
            raise MalformedError(f"{found[1]} comes twice")
        # What a caller's side sends may have line ends in it, and Asterisk writes arguments after all that.
        if found[1].startswith("agi_arg_") is not (_LAST in values):
            raise MalformedError(f"{found[1]} comes where it cannot")
        values[found[1]] = found[2]
    if "agi_network_script" not in values or _LAST not in values:
        raise MalformedError("variables are missing")
    return Asked(
        values["agi_network_script"].partition("?")[0],
        values.get("agi_arg_1") or values.get("agi_extension", ""),
        _caller(values),
        _known(values, "agi_calleridname"),
        "".join(filter(str.isprintable, values.get("agi_uniqueid", "")))[:MAX_CALLER_TEXT],
        tuple(value for name, value in values.items() if name.startswith("agi_arg_")),
    )


def _caller(values: dict[str, str]) -> str:
    number, presentation = _known(values, "agi_callerid"), values.get("agi_callingpres", "")
    withheld = presentation.isdecimal() and int(presentation) & _OF_PRESENTATION == _RESTRICTED
    return _NO_DIGITS.sub("", number) if _NUMBER.fullmatch(number) and not withheld else ""


def _known(values: dict[str, str], name: str) -> str:
    value = values.get(name, "")
    return "" if value == _UNKNOWN else value


def question(word: str) -> str:
    """The command whose reply has this word, and CALLROUTER_VARIABLES."""
    return f'GET FULL VARIABLE "{word} ${{CALLROUTER_VARIABLES}}"\n'


def read_answer(reply: str, word: str) -> str:
    """CALLROUTER_VARIABLES, out of the reply to `question`. Raises MalformedError."""
    begins = f"{DONE} ({word} "
    if not (reply.startswith(begins) and reply.endswith(")")):
        raise MalformedError("the first reply is none to our first command")
    return reply[len(begins) : -1]


def setting(name: str, value: str) -> str:
    """The command that sets a variable."""
    return f"SET VARIABLE {name} {_quoted(value)}\n"


def _quoted(value: str) -> str:
    """As AGI reads one word (res_agi.c, parse_args)."""
    plain = "".join(filter(str.isprintable, value))
    return '"{}"'.format(plain.replace("\\", "\\\\").replace('"', '\\"'))
