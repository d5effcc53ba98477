"""Reads the settings: a YAML file, then `CALLROUTER_*` in the environment, which wins.

Everything is read and checked at once, and every wrong setting is told with its place, what is wrong and
what to write. Unknown keys are wrong too: a misspelt setting must not silently be the default.
"""

import os
import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings.exceptions import SettingsError

from router.core.remarks import Remark, did_you_mean
from router.core.yamltext import Path as YamlPath
from router.core.yamltext import YamlText, read_yaml
from router.settings import NESTED, PREFIX, Settings, fields, variable_of

FILE_NAME = "callrouter.yaml"
SEARCHED = (Path(FILE_NAME), Path("/etc/callrouter") / FILE_NAME)
"""Where the file is looked for when none is given; the first that exists is used."""

_PATHS: tuple[YamlPath, ...] = (
    ("rules",),
    ("state",),
    ("database_password_file",),
    ("ari", "password_file"),
    ("ami", "secret_file"),
    ("mqtt", "ca_file"),
    ("mqtt", "password_file"),
)
"""Settings that are paths: a relative one in the file counts from the file's folder."""
_SECRETS: tuple[YamlPath, ...] = (("ari", "password"), ("ami", "secret"), ("database",))
"""Settings whose value is never shown."""
_NO_SETTING = re.compile(r"SERVICE_|PORT(_|$)|CACHE$|HISTORIES$")
"""What Kubernetes puts into the environment beside a service named callrouter, what the sandbox goes by
(deploy/asterisk), and what the tests do."""


class WrongSettingsError(Exception):
    """Settings that cannot be used. Its text has one line for each that is wrong."""

    def __init__(self, problems: list[Remark]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def load(config: Path | None = None, *, to_run: bool = False) -> Settings:
    """Read the file (`config`, or the first of SEARCHED that exists) and the environment. WrongSettingsError
    tells all.

    A relative path in the file counts from the file's folder, and so does the default `rules` beside a file;
    one in the environment, or with no file at all, counts from the working directory. `to_run` also asks for
    what only a running router needs, the password.
    """
    file = config or next((path for path in SEARCHED if path.is_file()), None)
    text = _read(file) if file is not None else None
    data, problems = _given(text) if text is not None else ({}, [])
    if file is not None:
        _anchor_paths(data, file.parent)
    problems += _unknown_variables()
    try:
        settings = Settings(**data)
    except ValidationError as error:
        problems += [_problem(details, text) for details in error.errors()]
    except SettingsError as error:
        problems.append(Remark("environment", 0, 0, f"{error}: {error.__cause__}"))
    else:
        if to_run and not settings.ari.password.get_secret_value():
            problems.append(_no_password(text))
    if problems:
        raise WrongSettingsError(sorted(set(problems), key=_place))
    return settings


def _no_password(text: YamlText | None) -> Remark:
    """Asterisk lets nobody in with an empty one (`ast_ari_config_validate_user`, res/ari/config.c)."""
    what = "ari.password: there is none, and Asterisk takes no user without one"
    return _at(("ari", "password"), text, what, "write `password_file: /run/secrets/ari` under `ari:`")


def _read(file: Path) -> YamlText:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongSettingsError([Remark(str(file), 0, 0, f"cannot be read: {error}")]) from error
    return read_yaml(str(file), text)


def _given(text: YamlText) -> tuple[dict[str, Any], list[Remark]]:
    """What the file sets, and what is wrong with it as a text. A key without a value is not set."""
    problems: list[Remark] = list(text.errors)
    if text.data is not None and not isinstance(text.data, dict):
        problems.append(
            Remark(text.file, 1, 1, "this is not a list of settings", "write `name: value` lines")
        )
        return {}, problems
    given = {key: value for key, value in (text.data or {}).items() if value is not None}
    for name, value in given.items():
        if isinstance(value, dict):
            given[name] = {key: inner for key, inner in value.items() if inner is not None}
    return given, problems


def _anchor_paths(data: dict[str, Any], folder: Path) -> None:
    data.setdefault("rules", str(Settings.model_fields["rules"].default))
    for *above, name in _PATHS:
        section = data
        for part in above:
            section = section.get(str(part), {})
        if isinstance(section, dict) and isinstance(section.get(str(name)), str):
            section[str(name)] = str(folder / section[str(name)])


def _unknown_variables() -> list[Remark]:
    known = {name.upper() for name in Settings.model_fields}
    problems = []
    for variable in os.environ:
        name = variable.upper().removeprefix(PREFIX)
        if name == variable.upper() or name.split(NESTED)[0] in known or _NO_SETTING.match(name):
            continue
        instead = did_you_mean(variable, [variable_of(path) for path, _ in fields(Settings)], "take it out")
        problems.append(Remark(variable, 0, 0, "there is no such setting", instead))
    return problems


def _problem(details: ErrorDetails, text: YamlText | None) -> Remark:
    """One of pydantic's errors, with its place and what to write."""
    path = tuple(details["loc"])
    known = dict(fields(Settings))
    setting = next((path[:size] for size in range(len(path), 0, -1) if path[:size] in known), path)
    name = ".".join(map(str, setting))
    if details["type"] == "extra_forbidden":
        siblings = [str(other[-1]) for other in known if other[:-1] == path[:-1]] + (
            [str(other[0]) for other in known] if len(path) == 1 else []
        )
        return _at(
            path,
            text,
            f"{name}: there is no such setting",
            did_you_mean(str(path[-1]), siblings, "take it out"),
        )
    what = _what(details, hidden=setting in _SECRETS)
    field = known.get(setting)
    example = (
        f"write `{setting[-1]}: {field.examples[0]}`"
        if field and field.examples
        else "write `name: value` lines"
    )
    return _at(path, text, f"{name}: {what}", example)


def _what(details: ErrorDetails, hidden: bool) -> str:
    if details["type"] == "value_error":
        return str(details["ctx"]["error"]).replace("; ", ", ")
    message = details["msg"][:1].lower() + details["msg"][1:]
    is_plain = isinstance(details["input"], (str, int, float))
    return message if hidden or not is_plain else f"`{details['input']}`: {message}"


def _at(path: YamlPath, text: YamlText | None, what: str, instead: str) -> Remark:
    variables = {variable.upper(): variable for variable in os.environ}
    for size in range(len(path), 0, -1):
        variable = variables.get(variable_of(path[:size]))
        if variable is not None and os.environ[variable]:
            return Remark(variable, 0, 0, what, instead)
    if text is None:
        return Remark("settings", 0, 0, what, instead)
    return Remark(*text.mark(path, at_key=True), what, instead)


def _place(problem: Remark) -> tuple[bool, str, int, int, str]:
    """Sorts the file's lines first, then the environment."""
    return problem.line == 0, problem.file, problem.line, problem.col, problem.what
