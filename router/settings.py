"""The daemon's settings: what there is to set, what each may be, and what it is when it is not set.

The defaults are the fields below and nowhere else; each works for a router beside its own Asterisk. How they
are read is settingsfile.py's.
"""

import os
import re
import socket
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote, urlsplit

import msgspec
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from yarl import URL

from router.core.dialling import Dialling
from router.core.reading import read_mail
from router.core.times import Duration
from router.core.yamltext import Path as YamlPath
from router.edge.amilink import AmiSettings
from router.edge.ari.link import AriSettings
from router.edge.mqttlink import Broker

PREFIX = "CALLROUTER_"
NESTED = "__"

_SYSTEM_STATE = Path("/var/lib/callrouter")
WELL_KNOWN = frozenset({"", "asterisk", "callrouter", "changeme", "password", "secret", "admin"})
_WELL_KNOWN_OF_AMI = WELL_KNOWN | {"amp111", "mysecret", "secret5"}
"""Those in sample files and of packaged systems besides."""


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
    try:
        parts.port  # noqa: B018 - looked at for its error
    except ValueError as error:
        raise ValueError(f"`{text}` has no port that there can be ({error})") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"`{text}` is not an http:// or https:// address")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("the address may only have a host, a port and a path")
    return text.rstrip("/")


def _seen_as(text: str) -> str:
    if "," in text or not text.strip("/"):
        raise ValueError(f"`{text}` is no path or address that Asterisk can play from; it may have no comma")
    return text.rstrip("/")


def _host(text: str) -> str:
    """A host's name or address, in small letters."""
    try:
        return URL.build(scheme="https", host=text).host or ""
    except ValueError:
        raise ValueError(f"`{text}` is no host's name or address") from None


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


Hosts = Annotated[tuple[Annotated[str, AfterValidator(str.lower)], ...], NoDecode, BeforeValidator(_listed)]


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

    @property
    def connection(self) -> AriSettings:
        """The same as the connection takes it, the password in clear."""
        password = self.password.get_secret_value()
        return AriSettings(url=self.url, username=self.username, password=password, app=self.app)

    @field_validator("password")
    @classmethod
    def _from_file(cls, password: SecretStr, info: ValidationInfo) -> SecretStr:
        file: Path | None = info.data.get("password_file")
        if file is not None:
            if password.get_secret_value():
                raise ValueError("both `password` and `password_file` are set; leave one out")
            password = SecretStr(file.read_text(encoding="utf-8").strip())
        host = urlsplit(info.data.get("url", "")).hostname
        well_known = WELL_KNOWN | {info.data.get("username", "")}
        if host and not is_loopback(host) and password.get_secret_value() in well_known:
            raise ValueError(f"the password is empty or well known, and {host} can be reached by others")
        return password


class Ami(Section):
    """How to reach Asterisk's manager interface, which tells what happens in Asterisk's own queues."""

    host: str = Field("127.0.0.1", min_length=1, description="host of Asterisk's AMI", examples=["127.0.0.1"])
    port: int = Field(5038, ge=1, le=65535, description="its port", examples=["5038"])
    user: Name | Literal[""] = Field(
        "", description="user in Asterisk's manager.conf; empty: AMI is not used", examples=["callrouter"]
    )
    secret_file: Annotated[Path, AfterValidator(_readable)] | None = Field(
        None, description="file with the user's secret in it", examples=["/run/secrets/ami"]
    )
    secret: SecretStr = Field(
        SecretStr(""),
        validate_default=True,
        description="the user's secret; rather use `secret_file`",
        examples=["a-long-random-one"],
    )

    def connection(self, events: str) -> AmiSettings | None:
        """The same as the connection takes it, for those classes of events; None where AMI is not used."""
        if not self.user:
            return None
        return AmiSettings(self.host, self.port, self.user, self.secret.get_secret_value(), events)

    @field_validator("secret")
    @classmethod
    def _from_file(cls, secret: SecretStr, info: ValidationInfo) -> SecretStr:
        file: Path | None = info.data.get("secret_file")
        if file is not None:
            if secret.get_secret_value():
                raise ValueError("both `secret` and `secret_file` are set; leave one out")
            secret = SecretStr(file.read_text(encoding="utf-8").strip())
        user, text = info.data.get("user", ""), secret.get_secret_value()
        if user and "secret_file" in info.data and text in _WELL_KNOWN_OF_AMI | {user}:
            raise ValueError("the secret is empty or well known; who has it can have Asterisk do anything")
        if any(char in text for char in "\r\n"):
            raise ValueError("the secret may have one line only")
        return secret


class Agi(Section):
    """Where a dialplan of the administrator's own may ask what the rules say of a caller, by FastAGI."""

    host: str = Field(
        "127.0.0.1", min_length=1, description="address to listen on for FastAGI", examples=["127.0.0.1"]
    )
    port: int = Field(
        0,
        ge=0,
        le=65535,
        description="its port, as in `dialplan/route.conf`; 0: not served",
        examples=["4573"],
    )
    within: Seconds = Field(
        3.0, ge=0.1, le=60, description="the longest that a request may take", examples=["3s"]
    )
    most_at_once: int = Field(
        200, ge=1, le=5000, description="connections at once; of more, the oldest is closed", examples=["200"]
    )


class Speech(Section):
    """How texts of the rules become prompts, and how Asterisk gets at them."""

    folder: Path | None = Field(
        None,
        description="folder for prompts, which Asterisk can read; without one, `prompts` in `state`",
        examples=["/var/lib/asterisk/sounds/callrouter"],
    )
    seen_as: Annotated[str, AfterValidator(_seen_as)] | None = Field(
        None,
        description="that folder as Asterisk sees it: a path, or the address it fetches from",
        examples=["http://10.0.0.5:8090/prompts"],
    )
    voices: dict[str, Path] = Field(
        {},
        description="languages that piper speaks, each with its voice; others are spoken by espeak-ng",
        examples=["{nb: /usr/share/piper/no_NO-talesyntese-medium.onnx}"],
    )
    speed: int = Field(150, ge=80, le=400, description="words a minute of espeak-ng", examples=["150"])


class Mail(Section):
    """The server that takes mails with messages."""

    host: str = Field("", description="mail server; empty: no mail is sent", examples=["smtp.fjord.example"])
    port: int = Field(587, ge=1, le=65535, description="its port", examples=["587"])
    tls: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="how the way to it is secured", examples=["starttls"]
    )
    sender: Annotated[str, AfterValidator(read_mail)] = Field(
        "callrouter@localhost",
        description="whom mails are from",
        examples=["pbx@fjord.example"],
    )
    username: str = Field("", description="user of the server; empty: none", examples=["pbx"])
    password_file: Annotated[Path, AfterValidator(_readable)] | None = Field(
        None, description="file with the user's password in it", examples=["/run/secrets/mail"]
    )

    @property
    def password(self) -> str:
        """The user's password; empty without one."""
        return self.password_file.read_text(encoding="utf-8").strip() if self.password_file else ""


class Webhooks(Section):
    """How messages are posted to other systems."""

    secret_file: Annotated[Path, AfterValidator(_readable)] | None = Field(
        None, description="file with the secret that signs what is posted", examples=["/run/secrets/webhook"]
    )
    allow: Annotated[
        tuple[Annotated[str, AfterValidator(_host)], ...], NoDecode, BeforeValidator(_listed)
    ] = Field(
        (),
        description="hosts that may be within one's own net, and without https",
        examples=['["crm.lan"]'],
    )

    @property
    def secret(self) -> str:
        """What signs; empty without one."""
        return self.secret_file.read_text(encoding="utf-8").strip() if self.secret_file else ""


class Outbox(Section):
    """How long is kept what other systems are told of calls and agents."""

    keep: Seconds = Field(
        86_400.0,
        ge=3600,
        le=31 * 86_400,
        description="how long notices are kept that need not be sent (any more)",
        examples=["24h"],
    )
    give_up: Seconds = Field(
        14 * 86_400.0,
        ge=3600,
        le=366 * 86_400,
        description="how long one is kept that the broker does not take",
        examples=["336h"],
    )


class Mqtt(Section):
    """The MQTT broker that notices of calls and agents are published to."""

    host: str = Field("", description="broker; empty: nothing is published", examples=["mqtt.fjord.example"])
    port: int = Field(8883, ge=1, le=65535, description="its port", examples=["8883"])
    tls: bool = Field(
        True, description="encrypt the way to it; without, only to this machine", examples=["true"]
    )
    ca_file: Annotated[Path, AfterValidator(_readable)] | None = Field(
        None,
        description="certificates that vouch for it; without, those of the system",
        examples=["/etc/callrouter/ca.pem"],
    )
    username: str = Field("", description="user of the broker; empty: none", examples=["callrouter"])
    password_file: Annotated[Path, AfterValidator(_readable)] | None = Field(
        None, description="file with the user's password in it", examples=["/run/secrets/mqtt"]
    )
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$")] = Field(
        "callrouter", description="what all topics begin with", examples=["pbx/callrouter"]
    )
    name: Name | Literal[""] = Field(
        "", description="this router's name in topics; empty: the host's", examples=["router1"]
    )
    commands: Annotated[
        tuple[Literal["agents", "tags", "reload"], ...], NoDecode, BeforeValidator(_listed)
    ] = Field(
        (), description="what may be commanded by MQTT: agents, tags, reload", examples=['["agents", "tags"]']
    )

    @property
    def connection(self) -> Broker | None:
        """The same as the connection takes it; None where nothing is published."""
        if not self.host:
            return None
        password = self.password_file.read_text(encoding="utf-8").strip() if self.password_file else None
        return Broker(
            self.host,
            self.port,
            self.tls,
            self.ca_file,
            self.username,
            password,
            self.prefix,
            self.name or re.sub(r"[^A-Za-z0-9_.-]", "-", socket.gethostname()) or "router",
            self.commands,
        )

    @field_validator("tls")
    @classmethod
    def _in_clear_to_this_machine_only(cls, tls: bool, info: ValidationInfo) -> bool:
        host = info.data.get("host", "")
        if host and not tls and not is_loopback(host):
            raise ValueError(f"without TLS, {host} and all on the way to it would read who calls whom")
        return tls


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
    """All settings. Get them by settingsfile.py's `load`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=NESTED, env_ignore_empty=True, extra="forbid", frozen=True
    )

    ari: Ari = Field(default_factory=Ari)
    ami: Ami = Field(default_factory=Ami)
    agi: Agi = Field(default_factory=Agi)
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
    watch: bool = Field(
        False, description="read the rules again whenever their files change", examples=["true"]
    )
    calendars_every: Seconds = Field(
        3600.0,
        ge=60,
        le=86400,
        description="how often calendars of the web are fetched again",
        examples=["1h"],
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
    database_password_file: Annotated[Path, AfterValidator(_readable)] | None = Field(
        None,
        description="file with the password of the user that `database` names",
        examples=["/run/secrets/postgres_password"],
    )
    write_queue: int = Field(
        200_000, ge=1000, description="operations kept while the database takes none", examples=["200000"]
    )
    speech: Speech = Field(default_factory=Speech)
    mail: Mail = Field(default_factory=Mail)
    webhooks: Webhooks = Field(default_factory=Webhooks)
    outbox: Outbox = Field(default_factory=Outbox)
    mqtt: Mqtt = Field(default_factory=Mqtt)
    web: Web = Field(default_factory=Web)
    log: Log = Field(default_factory=Log)
    loop: Literal["auto", "uvloop", "asyncio"] = Field(
        "auto", description="event loop; auto: uvloop where it is installed", examples=["auto"]
    )

    @property
    def prompts(self) -> Path:
        """The folder for prompts."""
        return (self.speech.folder or self.state / "prompts").absolute()

    @property
    def messages(self) -> Path:
        """The folder for recordings of messages."""
        return self.state / "messages"

    @property
    def calendars(self) -> Path:
        """The folder for copies of calendars of the web."""
        return self.state / "calendars"

    @property
    def database_url(self) -> str:
        """The database to use, with its password."""
        if self.database is None:
            return f"sqlite:///{self.state.absolute() / 'callrouter.db'}"
        if self.database_password_file is None:
            return self.database
        password = self.database_password_file.read_text(encoding="utf-8").strip()
        user, at, rest = self.database.partition("@")
        return f"{user}:{quote(password, safe='')}{at}{rest}"

    @field_validator("database_password_file")
    @classmethod
    def _of_a_user(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        parts = urlsplit(info.data.get("database") or "")
        if file is not None and "database" in info.data:
            if not parts.username:
                raise ValueError("`database` names no user whose password it could be")
            if parts.password:
                raise ValueError("`database` has a password as well; leave one out")
        return file

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
            variable_of(path),
            _default_text(field),
            field.description or "",
            str((field.examples or [""])[0]),
        )
        for path, field in fields(Settings)
    ]


def fields(section: type[BaseModel], above: YamlPath = ()) -> Iterator[tuple[YamlPath, FieldInfo]]:
    """The settings of `section` and of the sections in it, each with its path."""
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from fields(field.annotation, (*above, name))
        else:
            yield (*above, name), field


def _default_text(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(default, SecretStr) or default in (None, (), {}, PydanticUndefined):
        return ""
    return f"{default:.9g}s" if isinstance(default, float) else str(default)


def variable_of(path: YamlPath) -> str:
    """The name of a setting in the environment."""
    return PREFIX + NESTED.join(map(str, path)).upper()
