"""Checks a document against its schema, and says pydantic's errors as errors of the rules, at their place."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from router.core.reading import Reading
from router.core.remarks import MOST_TOLD, RuleError, did_you_mean, words_of
from router.core.schema import SHAREABLE, SHARED_FILE
from router.core.written import Shape
from router.core.yamltext import Path, YamlText

Document = TypeVar("Document", bound=BaseModel)

_UNKNOWN_KEY = "extra_forbidden"
"""pydantic's name for it."""


def check(text: YamlText, model: type[Document], reading: Reading) -> Document | tuple[RuleError, ...]:
    """The document, or every error of its shape and values; those that are too many to be told (remarks.py)
    have only their place."""
    try:
        return model.model_validate(text.data, context=reading)
    except ValidationError as error:
        found = [_Placed.of(text, details) for details in error.errors(include_url=False)]
    found.sort(key=lambda one: one.mark)
    worded = (RuleError.of(one.mark, one.words(text)) for one in found[:MOST_TOLD])
    return (*worded, *(RuleError(*one.mark, "") for one in found[MOST_TOLD:]))


class _Placed(NamedTuple):
    """One of pydantic's errors, and where in the document it is."""

    mark: tuple[str, int, int]
    path: Path
    around: Any
    """What `path` is in."""
    at_key: bool
    details: ErrorDetails

    @classmethod
    def of(cls, text: YamlText, details: ErrorDetails) -> "_Placed":
        path, around, at_key = _locate(text.data, details["loc"])
        at_key = at_key or details["type"] == _UNKNOWN_KEY
        return cls(text.mark(path, at_key), path, around, at_key, details)

    def words(self, text: YamlText) -> str:
        if self.details["type"] == _UNKNOWN_KEY:
            return _unknown_key(str(self.path[-1]), self.around)
        words = _WORDS.get(self.details["type"], _other)(self.details)
        return _column(text, self.path, self.at_key) + words


def _column(text: YamlText, path: Path, at_key: bool) -> str:
    """The column of a table that a value comes from: the table's rows have places, its columns have not."""
    if path[:1] != ("people",) or path[:2] not in text.files:
        return ""
    return f"column `{path[2] if len(path) > 2 else 'id'}`: "


def _locate(data: Any, loc: tuple[str | int, ...]) -> tuple[Path, Any, bool]:
    """The path in the document that pydantic's `loc` stands for, what is around it, and whether its key is
    meant.

    `loc` also names the forms of unions and keys that are not there: what is not in the document is passed
    over.
    """
    path: Path = ()
    around = data
    for part in loc:
        inside = (
            part in data if isinstance(data, dict) else isinstance(data, list) and part in range(len(data))
        )
        if inside:
            path, around, data = (*path, part), data, data[part]
    return path, around, loc[-1:] == ("[key]",)


def _unknown_key(key: str, siblings: Iterable[str]) -> str:
    known = _keys_beside(frozenset(siblings)) - {key}
    return f"`{key[:60]}` is not a key that can stand here; {did_you_mean(key, known, 'remove it')}"


def _keys_beside(siblings: frozenset[str]) -> set[str]:
    """The keys of the mappings that `siblings` look most like."""
    keys = [
        frozenset(field.alias or name for name, field in model.model_fields.items())
        for model in _models(Shape)
    ]
    alike = max(len(siblings & known) for known in keys)
    return {key for known in keys if len(siblings & known) == alike for key in known}


def _models(model: type[BaseModel]) -> set[type[BaseModel]]:
    return {model}.union(*(_models(under) for under in model.__subclasses__()))


def _missing(details: ErrorDetails) -> str:
    key = details["loc"][-1]
    shared = f", or let {SHARED_FILE} give it to all under `defaults:`" if key in SHAREABLE else ""
    return f"`{key}` is missing; add `{key}: ...`{shared}"


def _own_words(details: ErrorDetails) -> str:
    return words_of(details["ctx"]["error"])


def _choice(details: ErrorDetails) -> str:
    return f"`{str(details['input'])[:60]}` cannot stand here; write {details['ctx']['expected']}"


def _kind(kind: str, example: str) -> Callable[[ErrorDetails], str]:
    return lambda details: f"{kind} is needed here; write {example}"


def _or(choices: str) -> Callable[[ErrorDetails], str]:
    return lambda details: f"`{str(details['input'])[:60]}` cannot stand here; write {choices}"


def _other(details: ErrorDetails) -> str:
    return f"`{str(details['input'])[:60]}` cannot stand here ({details['msg']})"


_WORDS: Mapping[str, Callable[[ErrorDetails], str]] = {
    "missing": _missing,
    "value_error": _own_words,
    "literal_error": _choice,
    "enum": _choice,
    "model_type": _kind("a mapping", "`key: value` lines"),
    "dict_type": _kind("a mapping", "`key: value` lines"),
    "tuple_type": _kind("a list", "`- ` before each entry"),
    "bool_type": _or("true or false"),
    "too_short": _kind("at least one entry", "one, or leave the key out"),
    "none_required": _kind("nothing", "the step alone, without a value"),
}
"""pydantic's error type -> `what; what to write`."""
