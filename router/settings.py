"""The daemon's settings: a YAML file, then `CALLROUTER_*` in the environment, which wins.

Everything is read and checked at once, and every wrong setting is told with its place, what is wrong and
what to write. Unknown keys are wrong too: a misspelt setting must not silently be the default. The defaults
are the fields below and nowhere else; each works for a router beside its own Asterisk.
"""

import os
import re
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticUndefined
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from router.core.dialling import Dialling
from router.core.remarks import Remark, did_you_mean
from router.core.times import Duration
from router.core.yamltext import Path as YamlPath
from router.core.yamltext import YamlText, read_yaml

PREFIX = "CALLROUTER_"
NESTED = "__"
FILE_NAME = "callrouter.yaml"
SEARCHED = (Path(FILE_NAME), Path("/etc/callrouter") / FILE_NAME)
"""Where the file is looked for when none is given; the first that exists is used."""

_SYSTEM_STATE = Path("/var/lib/callrouter")
_PATHS: tuple[YamlPath, ...] = (("rules",), ("state",), ("ari", "password_file"))
"""Settings that are paths: a relative one in the file counts from the file's folder."""
_SECRETS: tuple[YamlPath, ...] = (("ari", "password"), ("database",))
"""Settings whose value is never shown."""
_WELL_KNOWN = frozenset({"", "asterisk", "callrouter", "changeme", "password", "secret", "admin"})
_SERVICE_LINK = re.compile(r"SERVICE_|PORT(_|$)")
"""What Kubernetes puts into the environment beside a service named callrouter: not settings."""


class WrongSettingsError(Exception):
    """Settings that cannot be used. Its text has one line for each that is wrong."""

    def __init__(self, problems: list[Remark]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def _seconds(value: object) -> object:
    return float(Duration.parse(value).seconds) if isinstance(value, str) else value


def _listed(value: object) -> object:
    return value.replace(",", " ").split() if isinstance(value, str) else value


def _pattern(text: str) -> str:
    Dialling(allow=(text,))
    return text


def _trunk(text: str) -> str:
    Dialling(text)
    return text


def _ari_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"`{text}` is not an http:// or https:// address")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("the address may only have a host, a port and a path")
    return text.rstrip("/")


def _readable(file: Path) -> Path:
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot be read: {error}") from error
    if not secret:
        raise ValueError(f"{file} is empty")
    return file


def is_loopback(host: str) -> bool:
    """True if only this machine can reach `host`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def default_state() -> Path:
    """`/var/lib/callrouter` where it exists or can be made, else a folder of the user's own."""
    if _SYSTEM_STATE.is_dir() or os.access(_SYSTEM_STATE.parent, os.W_OK):
        return _SYSTEM_STATE
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "callrouter"


Seconds = Annotated[float, BeforeValidator(_seconds)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
Destinations = Annotated[
    tuple[Annotated[str, AfterValidator(_pattern)], ...], NoDecode, BeforeValidator(_listed)
]


class Section(BaseModel):
    """A part of the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Ari(Section):
    """How to reach Asterisk's REST interface."""

    url: Annotated[str, AfterValidator(_ari_url)] = Field(
        "http://127.0.0.1:8088/ari",
        description="Asterisk's REST interface",
        examples=["http://127.0.0.1:8088/ari"],
    )
    username: Name = Field("callrouter", description="user in Asterisk's ari.conf", examples=["callrouter"])
    password_file: Annotated[Path, AfterValidator(_readable)] | None = Field(
        None, description="file with the user's password in it", examples=["/run/secrets/ari"]
    )
    password: SecretStr = Field(
        SecretStr(""),
        validate_default=True,
        description="the user's password; rather use `password_file`",
        examples=["a-long-random-one"],
    )
    app: Name = Field(
        "callrouter", description="name of the Stasis application in the dialplan", examples=["callrouter"]
    )

    @field_validator("password")
    @classmethod
    def _from_file(cls, password: SecretStr, info: ValidationInfo) -> SecretStr:
        file: Path | None = info.data.get("password_file")
        if file is not None:
            if password.get_secret_value():
                raise ValueError("both `password` and `password_file` are set; leave one out")
            password = SecretStr(file.read_text(encoding="utf-8").strip())
        host = urlsplit(info.data.get("url", "")).hostname
        well_known = _WELL_KNOWN | {info.data.get("username", "")}
        if host and not is_loopback(host) and password.get_secret_value() in well_known:
            raise ValueError(f"the password is empty or well known, and {host} can be reached by others")
        return password


class Web(Section):
    """Where metrics and health are served."""

    host: str = Field("127.0.0.1", min_length=1, description="address to listen on", examples=["127.0.0.1"])
    port: int = Field(
        8090, ge=0, le=65535, description="port to listen on; 0 takes a free one", examples=["8090"]
    )


class Log(Section):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="the least that is logged", examples=["info"]
    )
    format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: for people on a terminal, else JSON lines", examples=["json"]
    )
    numbers: Literal["masked", "full"] = Field(
        "masked", description="how telephone numbers are written", examples=["masked"]
    )


class Settings(BaseSettings):
    """All settings. Get them by `load`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=NESTED, env_ignore_empty=True, extra="forbid", frozen=True
    )

    ari: Ari = Field(default_factory=Ari)
    trunk: Annotated[str, AfterValidator(_trunk)] = Field(
        "PJSIP/{number}@trunk",
        description="dial string for numbers outside; empty: none can be dialled",
        examples=["PJSIP/{number}@trunk"],
    )
    destinations: Destinations = Field(
        (),
        description="numbers that may be dialled through the trunk; empty: those of the client's own country",
        examples=['["+47*", "+46*"]'],
    )
    present: Literal["caller", "called"] = Field(
        "caller",
        description="the number shown to a phone outside: the caller's, or the one called",
        examples=["caller"],
    )
    dead_man: Seconds = Field(
        12.0,
        ge=8,
        le=15,
        description="a waiting call falls to the dialplan so long after the router died",
        examples=["12s"],
    )
    drain_for: Seconds = Field(
        20.0,
        ge=0,
        le=600,
        description="how long a stopping router lets calls come to a good end",
        examples=["20s"],
    )
    rules: Path = Field(
        Path("rules"), description="folder with the rules", examples=["/etc/callrouter/rules"]
    )
    state: Path = Field(
        default_factory=default_state,
        description="folder for what the router keeps",
        examples=["/var/lib/callrouter"],
    )
    database: str | None = Field(
        None,
        repr=False,
        min_length=1,
        description="database URL; without one, SQLite in `state`",
        examples=["postgresql://callrouter@localhost/callrouter"],
    )
    write_queue: int = Field(
        200_000, ge=1000, description="operations kept while the database takes none", examples=["200000"]
    )
    web: Web = Field(default_factory=Web)
    log: Log = Field(default_factory=Log)
    loop: Literal["auto", "uvloop", "asyncio"] = Field(
        "auto", description="event loop; auto: uvloop where it is installed", examples=["auto"]
    )

    @property
    def database_url(self) -> str:
        """The database to use."""
        return self.database or f"sqlite:///{self.state.absolute() / 'callrouter.db'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings


def load(config: Path | None = None) -> Settings:
    """Read the file (`config`, or the first of SEARCHED that exists) and the environment. WrongSettingsError
    tells all.

    A relative path in the file counts from the file's folder, and so does the default `rules` beside a file;
    one in the environment, or with no file at all, counts from the working directory.
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
    if problems:
        raise WrongSettingsError(sorted(set(problems), key=_place))
    return settings


class SettingRow(msgspec.Struct, frozen=True):
    """One setting, for the reference."""

    name: str
    """Dotted, as in `ari.url`."""
    variable: str
    """In the environment."""
    default: str
    description: str
    example: str
    """As it is written in the file."""


def reference() -> list[SettingRow]:
    """Every setting there is, in order."""
    return [
        SettingRow(
            ".".join(map(str, path)),
            _variable(path),
            _default_text(field),
            field.description or "",
            str((field.examples or [""])[0]),
        )
        for path, field in _fields(Settings)
    ]


def _fields(section: type[BaseModel], above: YamlPath = ()) -> Iterator[tuple[YamlPath, FieldInfo]]:
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _fields(field.annotation, (*above, name))
        else:
            yield (*above, name), field


def _default_text(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(default, SecretStr) or default in (None, (), PydanticUndefined):
        return ""
    return f"{default:g}s" if isinstance(default, float) else str(default)


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
        if name == variable.upper() or name.split(NESTED)[0] in known or _SERVICE_LINK.match(name):
            continue
        instead = did_you_mean(variable, [_variable(path) for path, _ in _fields(Settings)], "take it out")
        problems.append(Remark(variable, 0, 0, "there is no such setting", instead))
    return problems


def _problem(details: ErrorDetails, text: YamlText | None) -> Remark:
    """One of pydantic's errors, with its place and what to write."""
    path = tuple(details["loc"])
    known = dict(_fields(Settings))
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
        variable = variables.get(_variable(path[:size]))
        if variable is not None and os.environ[variable]:
            return Remark(variable, 0, 0, what, instead)
    if text is None:
        return Remark("settings", 0, 0, what, instead)
    return Remark(*text.mark(path, at_key=True), what, instead)


def _place(problem: Remark) -> tuple[bool, str, int, int, str]:
    """Sorts the file's lines first, then the environment."""
    return problem.line == 0, problem.file, problem.line, problem.col, problem.what


def _variable(path: YamlPath) -> str:
    return PREFIX + NESTED.join(map(str, path)).upper()
