"""`callrouter doctor` beside a real Asterisk: a healthy one gives no error, and each fault is named with its
remedy."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from router.cli import doctor as command
from router.core.asteriskdialplan import dialplan_of, find, read_console
from router.edge.doctor.visit import Doctored
from tests.harness.broker import ACL, Broker
from tests.harness.ports import free_port
from tests.harness.router import RouterProcess
from tests.harness.sipp import register
from tests.harness.waiting import wait_until
from tests.live.clinic import Clinic, Row
from tests.live.conftest import BringUp, RunRouter

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def healthy(bring_up: BringUp, tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    sandbox = bring_up()
    clinic = Clinic(sandbox, tmp_path_factory.mktemp("doctor"))
    register(sandbox, [(phone, free_port()) for phone in sandbox.phones if phone.username in ("100", "119")])
    made = clinic.type("prompts", "make")
    assert made.exit_code == 0, made.output
    return clinic


@pytest.fixture
def clinic(healthy: Clinic, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:
    settings, rules = dict(healthy.settings), healthy.rules

    def ahead(**attributes: Any) -> Doctored:
        return Doctored(**attributes, clock=lambda: datetime.now(UTC) + healthy.ahead)

    monkeypatch.setattr(command, "Doctored", ahead)
    yield healthy
    healthy.settings, healthy.rules, healthy.ahead = settings, rules, timedelta(0)


def test_a_healthy_one_gives_no_error(clinic: Clinic) -> None:
    status, found = clinic.doctor()
    wrong = [row for row in found if row["severity"] not in ("ok", "note")]
    # The sandbox's trunk may transfer, which tests of transfers need.
    assert [row["what"] for row in wrong] == ["the trunk may transfer calls; nobody outside needs to"]
    assert status == 0
    assert clinic.doctor("--strict")[0] == 1
    said = {row["what"] for row in found}
    assert {
        "2 number(s) of 1 client(s) come to callrouter",
        "all 1 phone(s) of the rules are known and registered",
        "AMI's user `callrouter-queues` is told of queues",
        "Asterisk has all 1 queue(s) that rules lead to",
        "ARI can be reached from this machine only",
        "Asterisk has the folder in which it records",
        "Asterisk's clock and ours agree",
    } <= said


Ill = Callable[[Clinic, ExitStack], None]


class Fault(NamedTuple):
    """What is done, and what doctor must say of it."""

    done: Ill
    severity: str
    check: str
    what: str
    remedy: str


def setting(**sections: Any) -> Ill:
    """Settings are otherwise: of a section what is given, or all."""

    def done(clinic: Clinic, stack: ExitStack) -> None:
        for name, value in sections.items():
            before = clinic.settings.get(name)
            if isinstance(before, dict) and isinstance(value, dict):
                value = before | value
            clinic.settings[name] = value

    return done


def rule(old: str, new: str) -> Ill:
    """A rule is otherwise."""

    def done(clinic: Clinic, stack: ExitStack) -> None:
        assert old in clinic.rules
        clinic.rules = clinic.rules.replace(old, new)

    return done


def edited(file: str, old: str, new: str, reload: str = "dialplan reload") -> Ill:
    """Asterisk is set up otherwise."""
    return lambda clinic, stack: stack.enter_context(clinic.edited(file, old, new, reload))


def unloaded(module: str) -> Ill:
    def done(clinic: Clinic, stack: ExitStack) -> None:
        clinic.ask(f"module unload {module}")
        stack.callback(clinic.ask, f"module load {module}")

    return done


def asking_without(module: str) -> Ill:
    """A dialplan is to ask by AGI."""

    def done(clinic: Clinic, stack: ExitStack) -> None:
        setting(agi={"port": 4573})(clinic, stack)
        unloaded(module)(clinic, stack)

    return done


def prompt_removed(clinic: Clinic, stack: ExitStack) -> None:
    file = next(Path(clinic.settings["speech"]["folder"], "nb").glob("*.wav16"))
    stack.callback(file.write_bytes, file.read_bytes())
    file.unlink()


def no_recordings(clinic: Clinic, stack: ExitStack) -> None:
    """Rules take messages, and the folder for them is not there."""
    rule("      - queue: {asterisk: desk}\n", "      - message\n")(clinic, stack)
    folder = Path(clinic.sandbox.facts["directories"]["recordings"])
    away = folder.rename(folder.with_name("recording-away"))
    stack.callback(away.rename, folder)


def clock_ahead(clinic: Clinic, stack: ExitStack) -> None:
    clinic.ahead = timedelta(seconds=90)


def not_registered(clinic: Clinic, stack: ExitStack) -> None:
    reload = "module reload res_pjsip_outbound_registration.so"
    new = REGISTRATION + "[trunk-udp]"
    stack.enter_context(clinic.edited("pjsip.conf", "[trunk-udp]", new, reload))
    wait_until(lambda: " far/" in clinic.ask("pjsip show registrations"), "it is to register")


HOOK = "[from-trunk]\ninclude => callrouter\n"
FORMS = ("+4722334466", "4722334466", "22334466", "004722334466")
TAKEN = (
    "[from-trunk]\n" + "".join(f"exten => {form},1,Hangup()\n" for form in FORMS) + "include => callrouter\n"
)
ONE = "[from-trunk]\nexten => 4722334466,1,Hangup()\ninclude => callrouter\n"
REGISTRATION = """\
[far]
type = registration
transport = trunk-udp
server_uri = sip:127.0.0.1:9
client_uri = sip:us@127.0.0.1:9

"""
FAULTS: dict[str, Fault] = {
    "a wrong password": Fault(
        setting(ari={"password_file": None, "password": "wrong-one"}),
        "error", "ari", "status 401", "The name or password is not one of ari.conf.",
    ),
    "AMI's secret is wrong": Fault(
        setting(ami={"secret_file": None, "secret": "wrong-one"}),
        "error", "ami", "AMI refuses the login", "[callrouter-queues] with `secret` and `read = agent`",
    ),
    "a module is not loaded": Fault(
        unloaded("func_export.so"),
        "error", "modules", "func_export.so is not loaded; every call needs it", "module load func_export.so",
    ),
    "the module of a feature": Fault(
        unloaded("app_queue.so"),
        "error", "modules", "app_queue.so is not loaded; queues", "module load app_queue.so",
    ),
    "the module of a dialplan that asks": Fault(
        asking_without("app_stack.so"),  # Asterisk does not unload res_agi.so.
        "error", "modules", "app_stack.so is not loaded; a dialplan of your own that asks",
        "module load app_stack.so",
    ),
    "the hook is not there": Fault(
        edited("extensions.conf", HOOK, "[from-trunk]\nexten => 1,1,Hangup()\n"),
        "error", "dialplan", "no number of any client comes from the context [from-trunk]",
        "write `include => callrouter` as the last line of [from-trunk]",
    ),
    "our part is not there": Fault(
        edited("extensions.conf", "#include callrouter.conf", ""),
        "error", "dialplan", "no context [callrouter]", "#include callrouter.conf",
    ),
    "our part is an old one": Fault(
        edited("callrouter.conf", "[callrouter-transfer]", "[callrouter-was]"),
        "error", "dialplan", "no context [callrouter-transfer]", "cp dialplan/callrouter.conf",
    ),
    "a number is taken before": Fault(
        edited("extensions.conf", HOOK, TAKEN),
        "error", "dialplan", "calls to +4722334466 of fjord do not come", "remove that extension",
    ),
    "a number is taken in one form": Fault(
        edited("extensions.conf", HOOK, ONE),
        "warning", "dialplan", "go elsewhere if the trunk writes it as 4722334466", "Goto(callrouter,",
    ),
    "a number is taken in E.164": Fault(
        edited("extensions.conf", HOOK, ONE.replace("4722334466", "+4722334466")),
        "error", "dialplan", "+4722334466 of fjord do not come to callrouter if the trunk writes +4722334466",
        "Goto(callrouter,",
    ),
    "a T of another": Fault(
        edited("extensions.conf", HOOK, HOOK + "exten => T,1,Hangup()\n"),
        "error", "dialplan", "has an extension T", "give it another name",
    ),
    "no break-glass": Fault(
        edited("extensions.conf", "CALLROUTER_BREAKGLASS = PJSIP/119", "CALLROUTER_BREAKGLASS = "),
        "warning", "break-glass", "nobody is rung while there is no router", "CALLROUTER_BREAKGLASS=",
    ),
    "break-glass rings who is away": Fault(
        edited("extensions.conf", "CALLROUTER_BREAKGLASS = PJSIP/119", "CALLROUTER_BREAKGLASS = PJSIP/118"),
        "warning", "break-glass", "rings PJSIP/118, and nothing of that is registered", "name others",
    ),
    "break-glass rings nobody": Fault(
        edited("extensions.conf", "CALLROUTER_BREAKGLASS = PJSIP/119", "CALLROUTER_BREAKGLASS = PJSIP/99"),
        "error", "break-glass", "PJSIP/99, which Asterisk does not know", "correct CALLROUTER_BREAKGLASS",
    ),
    "another application": Fault(
        setting(ari={"app": "second"}),
        "error", "break-glass", "`callrouter`, and the router is `second`", "CALLROUTER_APP=second",
    ),
    "an unknown trunk": Fault(
        setting(trunk="PJSIP/{number}@trank"),
        "error", "trunk", "no endpoint PJSIP/trank", "did you mean `trunk`?",
    ),
    "a provider that does not know us": Fault(
        not_registered,
        "error", "registrations", "Asterisk is not registered as `far`", "pjsip show registration far",
    ),
    "an unknown phone": Fault(
        rule("PJSIP/100", "PJSIP/1000"),
        "error", "phones", "no endpoint PJSIP/1000, which is to ring for kari", "did you mean `100`?",
    ),
    "a phone that is not registered": Fault(
        rule("PJSIP/100", "PJSIP/101"),
        "warning", "phones", "1 of 1 phones are not registered: PJSIP/101 (kari)", "pjsip show contacts",
    ),
    "a prompt is removed": Fault(
        prompt_removed, "warning", "prompts", "prompts in nb are missing", "callrouter prompts make",
    ),
    "a sound that is not there": Fault(
        rule("hello-world", "hello-wurld"),
        "warning", "sounds", "Asterisk knows no sound `hello-wurld`", "correct the name",
    ),
    "no folder for recordings": Fault(
        no_recordings,
        "error", "recordings", "so callers can leave no message", "install -d -o asterisk -g asterisk ",
    ),
    "a queue that is not there": Fault(
        rule("{asterisk: desk}", "{asterisk: deck}"),
        "error", "asterisk-queues", "Asterisk has no queue `deck`", "did you mean `desk`?",
    ),
    "AMI may do too much": Fault(
        setting(ami={"user": "callrouter"}),
        "warning", "asterisk-queues", "more than it needs: Originate", "take `write` out of [callrouter]",
    ),
    "AMI may not listen": Fault(
        edited("manager.conf", "read = agent", "read = call", "manager reload"),
        "error", "asterisk-queues", "is not told of queues: it reads call", "write `read = agent`",
    ),
    "no database": Fault(
        setting(database="postgresql://callrouter@127.0.0.1:1/calls"),
        "error", "database", "cannot be used", "see that its server runs",
    ),
    "a state that cannot be": Fault(
        setting(state="/dev/null/state"),
        "error", "disk", "cannot be made: /dev/null is no folder", "set `state` to a folder",
    ),
    "a clock that is wrong": Fault(
        clock_ahead, "error", "clock", "Asterisk's clock is 90 s behind ours", "NTP",
    ),
    "open to all": Fault(
        edited("http.conf", "bindaddr = 127.0.0.1", "bindaddr = 0.0.0.0", "core reload"),
        "warning", "openness", "ARI listens on 0.0.0.0", "bindaddr=127.0.0.1",
    ),
    "few sessions": Fault(
        edited("http.conf", "sessionlimit = 1000", "sessionlimit = 6", "core show version"),
        "warning", "sessions", "Asterisk's web server takes 6 connections", "sessionlimit=1000",
    ),
    "no mail server": Fault(
        setting(mail={"host": "127.0.0.1", "port": 1}),
        "error", "mail", "the mail server does not answer", "mail.host",
    ),
    "rules with an error": Fault(
        rule("ring: kari", "ring: kira"), "error", "rules", "nobody here is `kira`", "callrouter check",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named_with_its_remedy(clinic: Clinic, fault: Fault) -> None:
    with ExitStack() as stack:
        fault.done(clinic, stack)
        status, found = clinic.doctor()
    named = [row for row in found if row["check"] == fault.check and row["severity"] == fault.severity]
    told = [(row["what"], row["remedy"]) for row in named]
    assert all(row["remedy"] for row in found if row["severity"] in ("error", "warning"))
    assert any(fault.what in what and fault.remedy in remedy for what, remedy in told), found
    assert status == (fault.severity == "error")


def beside(clinic: Clinic, router: RouterProcess) -> None:
    """What is looked at is that router."""
    settings = json.loads(router.config.read_text())
    clinic.settings |= {name: settings[name] for name in ("state", "database", "web")}


def errors(clinic: Clinic, check: str) -> list[Row]:
    """What that check has for errors."""
    found = clinic.doctor(check)[1]
    return [row for row in found if row["severity"] == "error"]


def test_a_router_whose_database_is_locked(clinic: Clinic, run_router: RunRouter, tmp_path: Path) -> None:
    file = tmp_path / "calls.db"
    router = run_router(clinic.sandbox, {"fjord.yaml": clinic.rules}, database=f"sqlite:///{file}")
    beside(clinic, router)
    assert errors(clinic, "router") == []
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        there = quote("Local/+4722334466@from-trunk/n", safe="")
        clinic.sandbox.ari("POST", f"channels?endpoint={there}&context=queue-elsewhere&extension=1")
        wait_until(lambda: router.metrics()["callrouter_store_failing"] == 1, "nothing can be written", 30)
        assert errors(clinic, "database") == [], "by our own look it is well"
        [failing] = errors(clinic, "router")
        other.execute("ROLLBACK")
    assert failing["what"].startswith("the running router's database takes nothing: ")
    assert f"fuser -v {file}" in failing["remedy"]
    wait_until(lambda: router.metrics()["callrouter_store_failing"] == 0, "all is written", 30)
    assert errors(clinic, "router") == []
    router.stop()


def test_a_broker_that_takes_notices_and_no_status(
    clinic: Clinic, run_router: RunRouter, broker: Broker
) -> None:
    broker.allow(ACL.replace("topic write callrouter/routers/one/status\n", ""))
    try:
        router = run_router(clinic.sandbox, {"fjord.yaml": clinic.rules}, mqtt=broker.settings())
        wait_until(
            lambda: "Not authorized: callrouter/routers/one/status" in router.log.read_text(), "refused"
        )
        beside(clinic, router)
        clinic.settings["mqtt"] = broker.settings()
        [refused] = errors(clinic, "broker")
    finally:
        broker.allow(ACL)
    assert refused["what"] == "the MQTT broker lets us in, and the running router publishes nothing there"
    assert "callrouter/routers/one/status" in refused["remedy"]
    wait_until(lambda: router.metrics()["callrouter_mqtt_connected"] == 1, "it is let", 60)
    assert errors(clinic, "broker") == []
    router.stop()


PROBE = """\
[probe]
include => probe-first
include => probe-last
exten => 4722334455,1,Set(GLOBAL(TAKEN)=exact)
exten => _47X.,1,Set(GLOBAL(TAKEN)=_47X.)
exten => _472Z!,1,Set(GLOBAL(TAKEN)=_472Z!)
exten => _+47ZXXXXXXX,1,Set(GLOBAL(TAKEN)=_+47ZXXXXXXX)
exten => _[24-6]X.,1,Set(GLOBAL(TAKEN)=_[24-6]X.)
exten => _NXX,1,Set(GLOBAL(TAKEN)=_NXX)
exten => _2-11,1,Set(GLOBAL(TAKEN)=_2-11)
[probe-first]
exten => _+4.,1,Set(GLOBAL(TAKEN)=_+4.)
exten => _1!,1,Set(GLOBAL(TAKEN)=_1!)
[probe-last]
exten => _[+0-9]!,1,Set(GLOBAL(TAKEN)=_[+0-9]!)
"""
DIALLED = (
    "4722334455", "472233445", "4720", "47", "471", "+4722334455", "+4702334455", "+46", "411", "211",
    "2", "299", "699", "1", "19", "+", "0047", "5",
)  # fmt: skip


def test_the_dialplan_by_ami_alone(clinic: Clinic) -> None:
    given = ("--console", "no-such-console", "--json")
    found = [json.loads(line) for line in clinic.type("doctor", "dialplan", *given).stdout.splitlines()]
    assert [row["severity"] for row in found] == ["not checked"]
    assert "give the AMI user `write = reporting`" in found[0]["remedy"]
    with clinic.edited("manager.conf", "read = agent", "read = agent\nwrite = reporting", "manager reload"):
        done = clinic.type("doctor", "dialplan", "asterisk-queues", *given).stdout
    rows = [json.loads(line) for line in done.splitlines()]
    assert "2 number(s) of 1 client(s) come to callrouter" in {row["what"] for row in rows}
    assert {row["severity"] for row in rows} <= {"ok", "note", "not checked"}, (
        "it may do no more than it should"
    )


def test_an_extension_is_found_as_asterisk_finds_it(clinic: Clinic) -> None:
    with clinic.edited("extensions.conf", "[from-trunk]", PROBE + "[from-trunk]", "dialplan reload"):
        shown = dialplan_of(read_console(clinic.ask("dialplan show")))
        for dialled in DIALLED:
            found = find(shown, "probe", dialled)
            clinic.sandbox.ari("POST", "asterisk/variable?variable=TAKEN&value=nothing")
            there = quote(f"Local/{dialled}@probe/n", safe="")
            clinic.sandbox.ari("POST", f"channels?endpoint={there}&context=queue-elsewhere&extension=1")
            wait_until(lambda: clinic.taken() != "nothing", f"{dialled} is taken")
            assert (found and found[1].steps[0].data) == f"GLOBAL(TAKEN)={clinic.taken()}", dialled


def test_it_has_changed_nothing(clinic: Clinic) -> None:
    assert clinic.doctor()[0] == 0
    assert clinic.sandbox.left_behind() == []
    assert not Path(clinic.settings["state"], "callrouter.db").exists()
