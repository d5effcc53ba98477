"""What is no YAML, in words: libyaml and PyYAML each say it in terms of their grammar."""

import re
from typing import NamedTuple

import yaml

from router.core.remarks import RuleError


class _Words(NamedTuple):
    """How a problem is told."""

    what: str
    """`{char}` is the character at the place, `{line}` the line where it became clear."""
    instead: str
    at_beginning: bool = False
    """The place is where that begins which is wrong, and not where it became clear."""


_WORDS: tuple[tuple[str, _Words], ...] = (
    (
        r"quoted scalar: found unexpected end of stream",
        _Words("a quote is not closed", "write the same quote at the end of the text", True),
    ),
    (
        r"',' or '\]'",
        _Words(
            "a `[` is not closed, or a comma is missing, up to line {line}",
            "write `]` at its end, and `,` between entries",
            True,
        ),
    ),
    (
        r"',' or '\}'",
        _Words(
            "a `{{` is not closed, or a comma is missing, up to line {line}",
            "write `}` at its end, and `,` between entries",
            True,
        ),
    ),
    (r"could not find expected ':'", _Words("this line has no `: `", "write `key: value`", True)),
    (
        r"mapping values are not allowed",
        _Words(
            "a `:` too many, or a line that is indented wrongly",
            "put a value with `: ` in quotes, or begin the line where its neighbours begin",
        ),
    ),
    (
        r"block collection: ",
        _Words(
            "an entry of a list is expected here",
            "begin it with `- `, or indent what belongs to another",
        ),
    ),
    (
        r"block mapping: ",
        _Words("a key is expected here", "begin it where its neighbours begin, and close quotes before it"),
    ),
    (
        r"cannot start any token|alphabetic or numeric",
        _Words("`{char}` cannot begin a value", "put the value in quotes", True),
    ),
    (r"node content", _Words("`{char}` stands where a value is expected", "take it out, or write a value")),
    (
        r"unknown escape character",
        _Words("a backslash in double quotes begins something special", "use single quotes", True),
    ),
)
"""What a parser says -> words; the first that is found in it."""
_OTHERS = _Words("{problem}", "check the indentation, colons and quotes")


def syntax_error(file: str, text: str, error: yaml.MarkedYAMLError) -> RuleError:
    """What is wrong, at its place."""
    mark = error.problem_mark or error.context_mark
    assert mark is not None
    if text[mark.index : mark.index + 1] == "\t":
        return RuleError(file, mark.line + 1, mark.column + 1, "a tab cannot indent YAML", "use spaces")
    line = mark.line + 1
    said = f"{error.context}: {error.problem}"
    words = next((words for pattern, words in _WORDS if re.search(pattern, said)), _OTHERS)
    if words.at_beginning and error.context_mark is not None:
        mark = error.context_mark
    problem = error.problem or error.context
    what = words.what.format(char=text[mark.index : mark.index + 1], line=line, problem=problem)
    return RuleError(file, mark.line + 1, mark.column + 1, f"this is not YAML: {what}", words.instead)
