"""Settings from real files and a real environment."""

import os
from pathlib import Path

import pytest

from router import settings, settingsfile
from router.edge.amilink import AmiSettings
from router.settings import Settings, is_loopback, reference
from router.settingsfile import WrongSettingsError, load


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings but the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settingsfile, "SEARCHED", settingsfile.SEARCHED[:1])
    for variable in os.environ:
        if variable.upper().startswith(settings.PREFIX):
            monkeypatch.delenv(variable)


def written(folder: Path, text: str) -> Path:
    file = folder / "callrouter.yaml"
    file.write_text(text)
    return file


def wrong(config: Path | None = None) -> list[str]:
    """What is told about settings that are refused."""
    with pytest.raises(WrongSettingsError) as refused:
        load(config)
    return str(refused.value).splitlines()


def test_with_nothing_set_the_defaults_fit_a_router_beside_its_asterisk() -> None:
    found = load()
    assert (found.ari.url, found.ari.username, found.ari.app) == (
        "http://127.0.0.1:8088/ari",
        "callrouter",
        "callrouter",
    )
    assert (found.trunk, found.destinations, found.present) == ("PJSIP/{number}@trunk", (), "caller")
    assert (found.dead_man, found.drain_for, found.write_queue) == (12.0, 20.0, 200_000)
    assert (found.rules, found.database_url) == (Path("rules"), f"sqlite:///{found.state}/callrouter.db")
    assert (found.web.host, found.web.port, found.loop) == ("127.0.0.1", 8090, "auto")
    assert (found.log.level, found.log.format, found.log.numbers) == ("info", "auto", "masked")


def test_a_whole_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a-long-random-one\n")
    file = written(
        tmp_path,
        """
        ari: {url: "https://pbx.example:8089/ari/", username: fjord, password_file: secret, app: reception}
        trunk: PJSIP/{number}@telco
        destinations: [+47*, +46 8 12 34 5x]
        present: called
        dead_man: 8s
        drain_for: 1m
        rules: /srv/rules
        state: state
        database: postgresql://callrouter@db/calls
        write_queue: 5000
        web: {host: "::1", port: 9000}
        log: {level: debug, format: json, numbers: full}
        loop: asyncio
        """,
    )
    found = load(file)
    assert found.ari.password.get_secret_value() == "a-long-random-one"
    assert (found.ari.url, found.ari.app) == ("https://pbx.example:8089/ari", "reception")
    assert found.destinations == ("+47*", "+46 8 12 34 5x")
    assert (found.dead_man, found.drain_for) == (8.0, 60.0)
    assert (found.rules, found.state) == (Path("/srv/rules"), tmp_path / "state")
    assert found.database_url == "postgresql://callrouter@db/calls"
    assert (found.web.host, found.web.port) == ("::1", 9000)


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path, "ari: {username: of-the-file, app: of-the-file}\ndestinations: [+47*]\n")
    monkeypatch.setenv("CALLROUTER_ARI__USERNAME", "of-the-environment")
    monkeypatch.setenv("CALLROUTER_ARI__PASSWORD", "hush")
    monkeypatch.setenv("CALLROUTER_DESTINATIONS", "+46*, +45*")
    monkeypatch.setenv("CALLROUTER_DEAD_MAN", "15s")
    monkeypatch.setenv("CALLROUTER_PRESENT", "")
    found = load(file)
    assert (found.ari.username, found.ari.app) == ("of-the-environment", "of-the-file")
    assert found.destinations == ("+46*", "+45*")
    assert (found.dead_man, found.present) == (15.0, "caller")
    assert "hush" not in repr(found)


def test_the_file_in_the_working_directory_is_found(tmp_path: Path) -> None:
    written(tmp_path, "loop: uvloop")
    assert load().loop == "uvloop"


PLACES = [
    ("beside the file by default", "loop: auto", "etc/rules"),
    ("beside the file if relative", "rules: mine", "etc/mine"),
    ("as it is if absolute", "rules: /srv/rules", "/srv/rules"),
]


@pytest.mark.parametrize(("text", "rules"), [row[1:] for row in PLACES], ids=[row[0] for row in PLACES])
def test_where_rules_are(tmp_path: Path, text: str, rules: str) -> None:
    (tmp_path / "etc").mkdir()
    assert load(written(tmp_path / "etc", text)).rules == tmp_path / rules


def test_the_databases_password_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("p@ss/hush\n")
    url = "database: postgresql://callrouter@db:5433/calls?sslmode=require"
    found = load(written(tmp_path, f"{url}\ndatabase_password_file: secret\n"))
    assert found.database_url == "postgresql://callrouter:p%40ss%2Fhush@db:5433/calls?sslmode=require"
    assert "hush" not in repr(found)


NO_USE_OF_A_PASSWORD = [
    ("no database", "", "`database` names no user whose password it could be"),
    ("a file", "database: sqlite:////srv/calls.db", "`database` names no user whose password it could be"),
    (
        "one in the address",
        "database: postgresql://callrouter:hush@db/calls",
        "`database` has a password as well, leave one out",
    ),
]


@pytest.mark.parametrize(
    ("text", "told"), [r[1:] for r in NO_USE_OF_A_PASSWORD], ids=[r[0] for r in NO_USE_OF_A_PASSWORD]
)
def test_a_password_file_is_for_a_user_without_a_password(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "secret").write_text("hush")
    (found,) = wrong(written(tmp_path, f"database_password_file: secret\n{text}\n"))
    assert f"callrouter.yaml:1:1: database_password_file: {told}" in found
    assert "hush" not in found


def test_what_has_no_value_is_not_set(tmp_path: Path) -> None:
    found = load(written(tmp_path, "ari:\nlog: {level: }\nrules:\n"))
    assert (found.ari.username, found.log.level, found.rules) == ("callrouter", "info", tmp_path / "rules")


def test_an_empty_file_sets_nothing(tmp_path: Path) -> None:
    assert load(written(tmp_path, "# nothing yet\n")).loop == "auto"


def test_everything_wrong_is_told_at_once_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(
        tmp_path,
        """ari:
  urll: http://127.0.0.1
  url: ftp://127.0.0.1
dead_man: 30s
drain_for: soon
destinations: [+47*, 12]
present: nobody
webb: {port: 1}
trunk: PJSIP/100
loop: auto
loop: auto
""",
    )
    monkeypatch.setenv("CALLROUTER_WEB__PORT", "99999")
    monkeypatch.setenv("CALLROUTER_DEADMAN", "12s")
    monkeypatch.setenv("CALLROUTER_PORT_8090_TCP", "tcp://10.0.0.1:8090")
    monkeypatch.setenv("CALLROUTER_CACHE", "/var/cache/sandboxes")
    monkeypatch.setenv("CALLROUTER_HISTORIES", "100")
    told = wrong(file)
    expected = [
        f"{file}:2:3: ari.urll: there is no such setting; did you mean `url`?",
        f"{file}:3:3: ari.url: `ftp://127.0.0.1` is not an http:// or https:// address; "
        "write `url: http://127.0.0.1:8088/ari`",
        f"{file}:4:1: dead_man: `30.0`: input should be less than or equal to 15; write `dead_man: 12s`",
        f"{file}:5:1: drain_for: `soon` is not a length of time, write it as in 25s, 5m or 1h30m; "
        "write `drain_for: 20s`",
        f"{file}:6:22: destinations: ",
        f"{file}:7:1: present: `nobody`: input should be 'caller' or 'called'; write `present: caller`",
        f"{file}:8:1: webb: there is no such setting; did you mean `web`?",
        f"{file}:9:1: trunk: ",
        f"{file}:11:1: `loop` is here twice, first on line 10; write it once",
        "CALLROUTER_DEADMAN: there is no such setting; did you mean `CALLROUTER_DEAD_MAN`?",
        "CALLROUTER_WEB__PORT: web.port: `99999`: input should be less than or equal to 65535; "
        "write `port: 8090`",
    ]
    assert len(told) == len(expected)
    for line, start in zip(told, expected, strict=True):
        assert line.startswith(start)


HOSTS = [
    ("a name", "CRM.lan", "crm.lan"),
    ("with letters of its own", "Bücher.lan", "bücher.lan"),
    ("an address", "10.0.0.5", "10.0.0.5"),
    ("one of IPv6", "::1", "::1"),
]


@pytest.mark.parametrize(("text", "host"), [row[1:] for row in HOSTS], ids=[row[0] for row in HOSTS])
def test_hosts_that_webhooks_may_be_within(tmp_path: Path, text: str, host: str) -> None:
    assert settingsfile.load(written(tmp_path, f"webhooks: {{allow: ['{text}']}}")).webhooks.allow == (host,)


@pytest.mark.parametrize("text", ["crm:8080", "[::1]", "10.0.0.0/8", "http://crm.lan"])
def test_what_is_no_host(tmp_path: Path, text: str) -> None:
    told = wrong(written(tmp_path, f"webhooks: {{allow: ['{text}']}}"))
    assert told[0].endswith(f'`{text}` is no host\'s name or address; write `allow: ["crm.lan"]`')


FILES = [
    ("not YAML", "ari: [", "this is not YAML"),
    ("no settings", "- ari\n", "this is not a list of settings; write `name: value` lines"),
    ("a section that is none", "web: 7\n", "web: "),
]


@pytest.mark.parametrize(("text", "told"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_a_file_of_no_use(tmp_path: Path, text: str, told: str) -> None:
    assert any(told in line for line in wrong(written(tmp_path, text)))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert wrong(tmp_path / "none.yaml")[0].startswith(f"{tmp_path / 'none.yaml'}: cannot be read")


VARIABLES = [
    ("not JSON", "CALLROUTER_ARI", "{", "environment: error parsing value for field"),
    (
        "unknown in a section",
        "CALLROUTER_ARI__FOO",
        "1",
        "CALLROUTER_ARI__FOO: ari.foo: there is no such setting",
    ),
    ("no such file", "CALLROUTER_ARI__PASSWORD_FILE", "/nowhere", "ari.password_file: cannot be read"),
    ("a password in the address", "CALLROUTER_ARI__URL", "http://u:p@127.0.0.1/ari", "may only have a host"),
]


@pytest.mark.parametrize(
    ("variable", "value", "told"), [row[1:] for row in VARIABLES], ids=[row[0] for row in VARIABLES]
)
def test_a_variable_of_no_use(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str) -> None:
    monkeypatch.setenv(variable, value)
    [line] = wrong()
    assert told in line


# Passwords.

PASSWORDS = [
    ("none, on this machine", "http://127.0.0.1:8088/ari", "", True),
    ("none, on this machine by name", "http://localhost:8088/ari", "", True),
    ("none, on this machine by IPv6", "http://[::1]:8088/ari", "", True),
    ("none, elsewhere", "http://10.0.0.5:8088/ari", "", False),
    ("a default, elsewhere", "https://pbx.example/ari", "asterisk", False),
    ("the user's own name, elsewhere", "https://pbx.example/ari", "fjord", False),
    ("a good one, elsewhere", "https://pbx.example/ari", "Tr0ub4dor&3", True),
]


@pytest.mark.parametrize(
    ("url", "password", "taken"), [row[1:] for row in PASSWORDS], ids=[row[0] for row in PASSWORDS]
)
def test_a_well_known_password_is_refused_where_others_can_try_it(
    tmp_path: Path, url: str, password: str, taken: bool
) -> None:
    file = written(tmp_path, f"ari: {{url: '{url}', username: fjord, password: '{password}'}}\n")
    if taken:
        assert load(file).ari.password.get_secret_value() == password
    else:
        [line] = wrong(file)
        assert "ari.password: the password is empty or well known" in line


WELL_KNOWN = "ami.secret: the secret is empty or well known"
AMI = [
    ("not used", "{}", ""),
    ("used", "{user: callrouter, secret: a-long-one}", ""),
    ("used, with a file", "{user: callrouter, secret_file: secret}", ""),
    ("no secret", "{user: callrouter}", WELL_KNOWN),
    ("Asterisk's own example", "{user: mark, secret: mysecret}", WELL_KNOWN),
    ("the user's name", "{user: fjord, secret: fjord}", WELL_KNOWN),
    ("two secrets", "{user: fjord, secret: a-long-one, secret_file: secret}", "both `secret` and"),
    ("two lines", '{user: fjord, secret: "a\\r\\nAction: Originate"}', "one line only"),
    ("no such file", "{user: fjord, secret_file: nowhere}", "ami.secret_file: cannot be read"),
    ("no user that there can be", "{user: 'a b', secret: a-long-one}", "ami.user"),
    ("no port", "{user: fjord, secret: a-long-one, port: 0}", "ami.port"),
]


@pytest.mark.parametrize(("text", "told"), [row[1:] for row in AMI], ids=[row[0] for row in AMI])
def test_ami(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "secret").write_text("a-long-one\n")
    file = written(tmp_path, f"ami: {text}\n")
    if told:
        lines = wrong(file)
        assert told in lines[0]
        assert not any("a-long-one" in line for line in lines)
        return
    ami = load(file).ami.connection("agent")
    expected = AmiSettings("127.0.0.1", 5038, "callrouter", "a-long-one", "agent")
    assert ami == (None if text == "{}" else expected)


HOW = "there is none, and Asterisk takes no user without one; write `password_file: /run/secrets/ari`"
NO_PASSWORD = [
    ("empty", "loop: auto\nari: {password: ''}", 2, 7),
    ("without a value", "ari:\n  password:", 2, 3),
    ("the section without it", "loop: auto\nari: {username: fjord}", 2, 6),
    ("not at all", "loop: auto", 1, 1),
]


@pytest.mark.parametrize(
    ("text", "line", "col"), [row[1:] for row in NO_PASSWORD], ids=[row[0] for row in NO_PASSWORD]
)
def test_a_router_runs_with_a_password_only(tmp_path: Path, text: str, line: int, col: int) -> None:
    file = written(tmp_path, text)
    load(file)
    with pytest.raises(WrongSettingsError) as refused:
        load(file, to_run=True)
    assert str(refused.value) == f"{file}:{line}:{col}: ari.password: {HOW} under `ari:`"


def test_without_a_file_a_password_is_wanted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WrongSettingsError) as refused:
        load(to_run=True)
    assert str(refused.value) == f"settings: ari.password: {HOW} under `ari:`"
    monkeypatch.setenv("CALLROUTER_ARI__PASSWORD", "hush")
    assert load(to_run=True).ari.password.get_secret_value() == "hush"


def test_a_password_may_come_from_one_place_only(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("one")
    [line] = wrong(written(tmp_path, "ari:\n  password_file: secret\n  password: hush-hush\n"))
    assert ":3:3: ari.password: both `password` and `password_file` are set, leave one out" in line
    assert "hush-hush" not in line


def test_an_empty_password_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("\n")
    [line] = wrong(written(tmp_path, "ari: {password_file: secret}\n"))
    assert "ari.password_file: " in line
    assert "is empty" in line


def test_a_secret_that_is_wrong_is_not_shown(tmp_path: Path) -> None:
    [line] = wrong(written(tmp_path, "ari: {password: [hush-hush]}\n"))
    assert "ari.password: input should be a valid string" in line
    assert "hush-hush" not in line


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("pbx", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


# Where the state is kept.


def test_state_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_SYSTEM_STATE", tmp_path / "lib" / "callrouter")
    (tmp_path / "lib").mkdir()
    assert load().state == tmp_path / "lib" / "callrouter"


def test_state_of_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_SYSTEM_STATE", tmp_path / "nowhere" / "callrouter")
    monkeypatch.setenv("XDG_STATE_HOME", "")
    monkeypatch.setenv("HOME", "/home/kari")
    assert load().state == Path("/home/kari/.local/state/callrouter")
    monkeypatch.setenv("XDG_STATE_HOME", "/home/kari/state")
    assert load().state == Path("/home/kari/state/callrouter")


# The reference.


def test_the_reference_names_every_setting_with_words_and_an_example() -> None:
    rows = {row.name: row for row in reference()}
    sections = {"ari", "web", "log"}
    assert {name.partition(".")[0] for name in rows} == set(Settings.model_fields)
    assert not sections & set(rows)
    assert all(row.description and row.example for row in rows.values())
    assert rows["ari.url"].variable == "CALLROUTER_ARI__URL"
    assert (rows["dead_man"].default, rows["ari.password"].default, rows["web.port"].default) == (
        "12s",
        "",
        "8090",
    )


def test_every_example_of_the_reference_is_taken(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("one")
    unread = ("ari.password", "ari.password_file", "database_password_file")
    rows = [row for row in reference() if row.name not in unread]
    lines = [f"{row.name}: {row.example}" for row in rows if "." not in row.name]
    for section in ("ari", "web", "log"):
        lines.append(f"{section}:")
        lines += [
            f"  {row.name.partition('.')[2]}: {row.example}"
            for row in rows
            if row.name.startswith(f"{section}.")
        ]
    load(written(tmp_path, "\n".join(lines)))


def test_a_port_that_there_cannot_be_is_told(tmp_path: Path) -> None:
    file = tmp_path / "callrouter.yaml"
    file.write_text('ari: {url: "http://127.0.0.1:99999/ari"}\n')
    with pytest.raises(WrongSettingsError, match=r"1:7: ari\.url: .* has no port that there can be"):
        load(file)


def test_prompts_are_in_the_state_unless_told_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "callrouter.yaml"
    file.write_text("state: kept\n")
    assert load(file).prompts == tmp_path / "kept" / "prompts"
    file.write_text("speech: {folder: sounds, seen_as: callrouter/}\n")
    assert (load(file).prompts, load(file).speech.seen_as) == (tmp_path / "sounds", "callrouter")
    file.write_text('speech: {seen_as: "a,b"}\n')
    with pytest.raises(WrongSettingsError, match="no path or address that Asterisk can play from"):
        load(file)


MQTT = [
    ("not used", "{}", ""),
    ("used, by TLS", "{host: mqtt.fjord.example, username: pbx, password_file: secret, name: one}", ""),
    ("here, in clear", "{host: 127.0.0.1, port: 1883, tls: false}", ""),
    ("elsewhere, in clear", "{host: mqtt.fjord.example, tls: false}", "mqtt.tls: without TLS, mqtt.fjord"),
    ("no name that a topic can have", "{name: 'a/b'}", "mqtt.name"),
    ("no prefix that topics can have", "{prefix: 'pbx/#'}", "mqtt.prefix"),
    ("no such command", "{commands: [everything]}", "mqtt.commands"),
    ("no such file", "{host: localhost, ca_file: nowhere}", "mqtt.ca_file: cannot be read"),
]


@pytest.mark.parametrize(("text", "told"), [row[1:] for row in MQTT], ids=[row[0] for row in MQTT])
def test_mqtt(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "secret").write_text("a-long-one\n")
    file = written(tmp_path, f"mqtt: {text}\n")
    if told:
        assert told in wrong(file)[0]
        return
    broker = load(file).mqtt.connection
    if text == "{}":
        assert broker is None
    else:
        assert broker is not None
        assert broker.router
        assert broker.password == ("a-long-one" if "secret" in text else None)
