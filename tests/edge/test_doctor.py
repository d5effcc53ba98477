"""What doctor finds, by checks one by one, against an Asterisk of which each thing can be wrong."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from router.core.findings import Severity
from router.core.remarks import RuleError, RuleErrors
from router.core.spoken import texts
from router.edge.doctor.checks import CHECKS
from tests.edge.patient import ROUTE, RULES, Patient, dialplan

pytestmark = pytest.mark.usefixtures("alone")

E, W, N, U, OK = Severity.ERROR, Severity.WARNING, Severity.NOTE, Severity.NOT_CHECKED, Severity.OK


async def test_a_healthy_one_gives_neither_errors_nor_warnings(patient: Patient) -> None:
    rules, kept = patient.loaded(), patient.prompts()
    assert await asyncio.to_thread(lambda: kept.make(texts(rules))) == {}
    found = await patient.found(*CHECKS)
    bad = [finding for finding in found if finding.severity in (E, W)]
    assert bad == []


class Case(NamedTuple):
    """What is made of the patient, and what one check then finds: how bad, and a piece of the text."""

    check: str
    made: Callable[[Patient], object]
    severity: Severity
    what: str


def setting(**sections: Any) -> Callable[[Patient], object]:
    def made(patient: Patient) -> None:
        for name, value in sections.items():
            before = patient.settings.get(name)
            if isinstance(before, dict) and isinstance(value, dict):
                value = before | value
            patient.settings[name] = value

    return made


def does(steps: str, head: str = "") -> Callable[[Patient], object]:
    """The rules have these steps."""
    return lambda patient: setattr(patient, "rules", RULES + head + ROUTE.format(steps))


def planned(*lines: str) -> Callable[[Patient], object]:
    """The dialplan has these lines."""
    return lambda patient: setattr(patient.ami, "dialplan", dialplan(*lines))


def wrong_rules(patient: Patient) -> None:
    wrong = RuleErrors((RuleError("rules/fjord.yaml", 3, 1, "this is wrong", "mend it"),))
    patient.more["load"] = lambda: wrong


def no_folder(patient: Patient) -> None:
    wrong = RuleErrors((RuleError("rules", 0, 0, "this is wrong"),))
    patient.more["load"] = lambda: wrong


def elsewhere(patient: Patient) -> None:
    """Asterisk is at an address that is not loopback."""
    setting(ari={"url": patient.ari.url.replace("127.0.0.1", "0.0.0.0")}, ami={"host": "0.0.0.0"})(patient)


def no_recordings(patient: Patient) -> None:
    """As Asterisk answers then."""
    patient.ari.raw["recordings/stored"] = (500, {"error": "Allocation failed"})


def both(*made: Callable[[Patient], object]) -> Callable[[Patient], object]:
    return lambda patient: [one(patient) for one in made]


def http_conf(text: str) -> Callable[[Patient], object]:
    def made(patient: Patient) -> None:
        (patient.folder / "http.conf").write_text(text)
        patient.more["etc"] = patient.folder

    return made


def prints(**shown: str) -> Callable[[Patient], object]:
    """The console prints these; `_` in a command stands for a space."""
    entries = {name.replace("_", " "): text for name, text in shown.items()}
    return lambda patient: patient.shown.update({"core show settings": "Entity ID: 02:aa", **entries})


QUEUE = does("{queue: {asterisk: support}}")
PEOPLE = "people: {kari: {rings: PJSIP/100}}\nqueues: {desk: {agents: [kari], supervisors: [kari]}}\n"
MAILED = "messages: {mail: desk@fjord.example}\n"
FOLLOWED = """\
follow_ups:
  - {name: missed, do: [{mail: [desk@fjord.example]}, {webhook: "https://no.invalid/in"}]}
"""
POSTED = 'messages: {webhook: "https://127.0.0.1/in"}\n'
MANY = "[" + ", ".join(f"PJSIP/{number}" for number in range(900, 907)) + "]"
ALL = "HTTP: Server Enabled and Bound to 0.0.0.0:8088"
FAR = """\
 <Registration/ServerURI..............................>  <Auth....................>  <Status.......>
==========================================================================================

 far/sip:127.0.0.1:9                                     n/a                         Rejected
 near/sips:sip.example                                   us (as user)                Registered  (exp. 90s)
"""
CASES: dict[str, Case] = {
    "no password": Case("ari", setting(ari={"password": ""}), E, "no `ari.password` is set"),
    "a wrong password": Case("ari", setting(ari={"password": "not-that-one"}), E, "status 401"),
    "an old Asterisk": Case(
        "ari", lambda it: setattr(it.ari, "version", "22.6.0"), E, "this is Asterisk 22.6.0"
    ),
    "over the net": Case("ari", elsewhere, W, "crosses the net unencrypted"),
    "AMI is not used": Case("ami", setting(ami={"user": ""}), OK, "AMI is not used"),
    "AMI refuses": Case("ami", setting(ami={"secret": "not-that-one"}), E, "AMI refuses the login"),
    "AMI is not there": Case("ami", setting(ami={"port": 1}), E, "AMI does not let us in"),
    "no AMI, and not used": Case("openness", setting(ami={"port": 1}), OK, "nothing listens for AMI here"),
    "a known password": Case(
        "openness", setting(ari={"password": "asterisk"}), W, "the password of ARI is well known"
    ),
    "elsewhere, and no console": Case("openness", elsewhere, U, "who can reach ARI: `no-such-console`"),
    "elsewhere, for all": Case(
        "openness",
        both(elsewhere, prints(http_show_status=ALL, manager_show_settings="TCP Bindaddress: 10.0.0.5:5038")),
        W,
        "ARI listens on all addresses of its machine",
    ),
    "elsewhere, for some": Case(
        "openness",
        both(elsewhere, prints(http_show_status=ALL, manager_show_settings="TCP Bindaddress: 10.0.0.5:5038")),
        OK,
        "AMI listens on 10.0.0.5",
    ),
    "no http.conf": Case(
        "sessions",
        lambda it: it.more.update(etc=Path("/nowhere")),
        U,
        "/nowhere/http.conf cannot be read",
    ),
    "http.conf elsewhere": Case(
        "sessions", both(elsewhere, lambda it: it.more.update(etc=Path("/nowhere"))), U, "is elsewhere"
    ),
    "as Asterisk has it": Case("sessions", http_conf("[general]\n"), N, "takes 100 connections"),
    "few sessions": Case("sessions", http_conf("sessionlimit=5\n"), W, "takes 5 connections, and has"),
    "many sessions": Case("sessions", http_conf("sessionlimit => 1000\n"), OK, "takes 1000 connections"),
    "a module that failed": Case(
        "modules", lambda it: it.ari.modules.update({"func_timeout.so": "Not Running"}), E, "func_timeout.so"
    ),
    "modules by rules with errors": Case("modules", wrong_rules, U, "modules that only some rules need"),
    "modules for supervisors": Case("modules", does("{queue: desk}", PEOPLE), E, "res_stasis_snoop.so"),
    "modules for a dialplan that asks": Case(
        "modules",
        both(setting(agi={"port": 4573}), lambda it: it.ari.modules.pop("res_agi.so")),
        E,
        "res_agi.so is not loaded; a dialplan of your own that asks (`agi.port`, dialplan/route.conf)",
    ),
    "the stack for a dialplan that asks": Case(
        "modules",
        both(setting(agi={"port": 4573}), lambda it: it.ari.modules.pop("app_stack.so")),
        E,
        "app_stack.so is not loaded",
    ),
    "no dialplan asks": Case(
        "modules",
        lambda it: [it.ari.modules.pop(name) for name in ("res_agi.so", "app_stack.so")],
        OK,
        "modules that are needed are loaded",
    ),
    "a harmful module": Case(
        "modules",
        lambda it: it.ari.modules.update({"res_stasis_device_state.so": "Running"}),
        N,
        "res_stasis_device_state.so is loaded: a websocket that closes",
    ),
    "modules that are not told": Case(
        "modules", lambda it: it.ari.raw.update({"asterisk/modules": (500, {})}), U, "ARI answers 500"
    ),
    "modules that cannot be read": Case(
        "modules", lambda it: it.ari.raw.update({"asterisk/modules": (200, {})}), U, "cannot be read"
    ),
    "modules without ARI": Case("modules", setting(ari={"password": "no"}), U, "ARI does not answer"),
    "no break-glass": Case("break-glass", lambda it: it.ari.globals.clear(), W, "nobody is rung"),
    "break-glass of nobody": Case(
        "break-glass",
        lambda it: it.ari.globals.update(CALLROUTER_BREAKGLASS="PJSIP/100&PJSIP/${NIGHT}&PJSIP/9"),
        E,
        "break-glass rings PJSIP/9, which",
    ),
    "another application": Case("break-glass", setting(ari={"app": "second"}), E, "the router is `second`"),
    "the dialplan may not be seen": Case(
        "dialplan", lambda it: it.ami.commands.remove("ShowDialPlan"), U, "AMI's user `router` may not see it"
    ),
    "the dialplan without AMI": Case(
        "dialplan", setting(ami={"user": ""}), U, "no AMI: no `ami.user` is set"
    ),
    "without our part": Case(
        "dialplan", lambda it: setattr(it.ami, "dialplan", []), E, "no context [callrouter]"
    ),
    "an old part": Case(
        "dialplan",
        lambda it: setattr(
            it.ami, "dialplan", [one for one in it.ami.dialplan if "queue" not in one["Context"]]
        ),
        E,
        "of another version: no context [callrouter-queue], [callrouter-queue-left]",
    ),
    "no trunk to look at": Case("dialplan", setting(trunk=""), U, "no `trunk` is set"),
    "an unknown trunk to look at": Case(
        "dialplan", setting(trunk="PJSIP/{number}@t2"), U, "the endpoint PJSIP/t2 is not known"
    ),
    "a context that is not there": Case(
        "dialplan", lambda it: it.more.update(contexts=("pstn",)), E, "Asterisk has no such context"
    ),
    "no hook": Case("dialplan", planned("from-trunk 100 Hangup()"), E, "no number of any client comes"),
    "a number that nothing takes": Case(
        "dialplan",
        both(
            does("hangup", 'people: {eva: {rings: PJSIP/1, numbers: "+4790000001"}}\n'),
            planned("from-trunk _+4722! Goto(callrouter,${EXTEN},1)"),
        ),
        E,
        "calls to +4790000001 of fjord do not come to callrouter: nothing in [from-trunk] takes them",
    ),
    "taken in one form": Case(
        "dialplan",
        planned("from-trunk 22334455 Hangup()", "from-trunk callrouter"),
        W,
        "go elsewhere if the trunk writes it as 22334455: `22334455` of [from-trunk] takes them",
    ),
    "taken in E.164": Case(
        "dialplan",
        planned("from-trunk +4722334455 Hangup(16)", "from-trunk callrouter"),
        E,
        "calls to +4722334455 of fjord do not come to callrouter if the trunk writes +4722334455: ",
    ),
    "for the dialplan to say": Case(
        "dialplan",
        planned("from-trunk _X. Gosub(where,s,1)"),
        U,
        "whether +4722334455 of fjord comes to callrouter: `_X.` of [from-trunk] says so",
    ),
    "another T": Case(
        "dialplan",
        planned("from-trunk T Hangup()", "from-trunk callrouter"),
        E,
        "[from-trunk] has an extension T",
    ),
    "agents without codes": Case(
        "dialplan",
        both(
            does("{queue: desk}", PEOPLE), lambda it: it.ari.attributes.update({"100": {"context": "phones"}})
        ),
        N,
        "agents cannot use their codes: *81 leads elsewhere for PJSIP/100",
    ),
    "agents with codes": Case(
        "dialplan",
        both(
            does("{queue: desk}", PEOPLE),
            lambda it: it.ari.attributes.update({"100": {"context": "phones"}}),
            planned("from-trunk callrouter", "phones callrouter-agents"),
        ),
        OK,
        "agents can use their codes from 1 context(s)",
    ),
    "shown by the console": Case(
        "dialplan",
        prints(dialplan_show='[ Context "x" created by 1 ]'),
        E,
        "no context [callrouter]",
    ),
    "another Asterisk's console": Case(
        "dialplan",
        both(prints(core_show_settings="Entity ID: 02:bb"), setting(ami={"user": ""})),
        U,
        "speaks with is another one",
    ),
    "a console that fails": Case("dialplan", prints(), U, "says: No such command"),
    "away in the night": Case(
        "break-glass",
        lambda it: it.ari.endpoints.update({"100": "offline"}),
        W,
        "break-glass rings PJSIP/100, and nothing of that is registered",
    ),
    "ARI by HTTPS": Case(
        "openness",
        prints(http_show_status="HTTPS Server Enabled and Bound to 0.0.0.0:1"),
        OK,
        "nothing listens for ARI by HTTPS here",
    ),
    "AMI over HTTP": Case(
        "openness", prints(manager_show_settings="Web Manager (AMI/HTTP):    Yes"), N, "over HTTP, too"
    ),
    "not registered": Case(
        "registrations", prints(pjsip_show_registrations=FAR), E, "not registered as `far`"
    ),
    "registered": Case("registrations", prints(pjsip_show_registrations=FAR), OK, "registered as `near`"),
    "registered nowhere": Case(
        "registrations", prints(pjsip_show_registrations="No objects found."), OK, "registers nowhere"
    ),
    "no console": Case("registrations", setting(), U, "`no-such-console` cannot be run here"),
    "no trunk": Case("trunk", setting(trunk=""), OK, "no number outside is dialled"),
    "an unknown trunk": Case("trunk", setting(trunk="PJSIP/{number}@trank"), E, "no endpoint PJSIP/trank"),
    "a trunk that is away": Case(
        "trunk", lambda it: it.ari.endpoints.update(trunk="offline"), E, "nobody outside can be dialled"
    ),
    "a trunk that transfers": Case(
        "trunk", lambda it: it.ari.attributes["trunk"].update(allow_transfer="true"), W, "may transfer calls"
    ),
    "unknown phones": Case("phones", does(f"{{ring: {MANY}, order: all}}"), E, "2 more phones are not known"),
    "an unknown phone": Case("phones", does("{ring: PJSIP/1000}"), E, "no endpoint PJSIP/1000"),
    "a phone that is away": Case(
        "phones",
        lambda it: it.ari.endpoints.update({"100": "offline"}),
        W,
        "1 of 1 phones are not registered",
    ),
    "phones with wrong rules": Case("phones", wrong_rules, U, "the rules have errors"),
    "a recording that is not there": Case(
        "prompts", does("{say: {file: recorded/news}}"), E, "nobody has recorded `recorded/news`"
    ),
    "prompts that are missing": Case("prompts", does("{say: Hei.}"), W, "prompts in en are missing"),
    "a sound that is not there": Case("sounds", does("{say: {file: hallo}}"), W, "no sound `hallo`"),
    "many sounds that are not there": Case(
        "sounds",
        does(", ".join(f"{{say: {{file: s{n}}}}}" for n in range(7))),
        W,
        "2 more sounds are not known",
    ),
    "no core sounds": Case(
        "sounds", lambda it: it.ari.sounds.remove("im-sorry"), W, "Asterisk has no im-sorry"
    ),
    "sounds that are not told": Case(
        "sounds", lambda it: it.ari.raw.update(sounds=(404, {})), U, "res_ari_sounds.so is not loaded"
    ),
    "a folder for recordings": Case("recordings", does("message"), OK, "has the folder in which it records"),
    "no folder for recordings": Case(
        "recordings", both(does("message"), no_recordings), E, "so callers can leave no message"
    ),
    "no folder for recordings, and no messages": Case(
        "recordings", no_recordings, N, "no prompt can be recorded by phone; no rule takes messages"
    ),
    "no folder for recordings, and wrong rules": Case(
        "recordings", both(wrong_rules, no_recordings), E, "so callers can leave no message"
    ),
    "recordings that are not told": Case(
        "recordings",
        lambda it: it.ari.raw.update({"recordings/stored": (404, {})}),
        U,
        "res_ari_recordings.so is not loaded",
    ),
    "recordings that are not to be asked for": Case(
        "recordings", lambda it: it.ari.raw.update({"recordings/stored": (403, {})}), U, "ARI answers 403"
    ),
    "a queue without AMI": Case(
        "asterisk-queues", both(QUEUE, setting(ami={"user": ""})), E, "without `ami.user` nobody knows"
    ),
    "a queue that AMI does not tell": Case(
        "asterisk-queues", both(QUEUE, setting(ami={"port": 1})), U, "no AMI: "
    ),
    "a queue without the module": Case(
        "asterisk-queues", both(QUEUE, lambda it: it.ami.commands.remove("QueueStatus")), U, "app_queue.so"
    ),
    "a queue that is not there": Case("asterisk-queues", QUEUE, E, "Asterisk has no queue `support`"),
    "a queue of which nothing is told": Case("asterisk-queues", QUEUE, U, "has `read = agent`: `no-such"),
    "a user who reads nothing": Case(
        "asterisk-queues",
        both(QUEUE, prints(manager_show_user_router="no such user")),
        E,
        "is not told of queues: it reads nothing",
    ),
    "a user who may too much": Case(
        "asterisk-queues", lambda it: it.ami.commands.append("Originate"), W, "than it needs: Originate"
    ),
    "a clock that is behind": Case("clock", lambda it: setattr(it.ari, "ahead", -20), W, "20 s behind ours"),
    "a clock that is ahead": Case("clock", lambda it: setattr(it.ari, "ahead", 95), E, "95 s ahead of ours"),
    "a clock that is not told": Case(
        "clock", lambda it: it.ari.raw.update({"asterisk/ping": (404, {})}), U, "Asterisk's clock"
    ),
    "rules with an error": Case(
        "rules", wrong_rules, E, "the rules have 1 error, the first: this is wrong; mend"
    ),
    "no rules": Case("rules", no_folder, E, "the first: this is wrong"),
    "rules with a warning": Case(
        "rules", both(QUEUE, setting(ami={"user": ""})), W, "the rules have 1 warning, the first: without AMI"
    ),
    "another is connected": Case(
        "router",
        lambda it: it.ari.raw.update({"applications/callrouter": (200, {"name": "callrouter"})}),
        W,
        "another program is connected to Asterisk as `callrouter`",
    ),
    "web for all": Case(
        "router",
        setting(web={"host": "0.0.0.0"}),
        N,
        "the API, metrics, health and prompts can be reached from other machines (commands cannot), and the "
        "API's tokens cross the net unencrypted",
    ),
    "another program there": Case(
        "router",
        lambda it: setting(web={"port": int(it.ari.url.split(":")[2].split("/")[0])})(it),
        E,
        "another program",
    ),
    "mail is wanted": Case("mail", does("message", MAILED), E, "and no mail server is set"),
    "a follow-up wants mail": Case("mail", does("hangup", FOLLOWED), E, "and no mail server is set"),
    "a follow-up posts": Case("webhooks", does("hangup", FOLLOWED), E, "is not found: no.invalid"),
    "no mail is wanted": Case("mail", wrong_rules, OK, "no mail server is set"),
    "no mail server": Case("mail", setting(mail={"host": "127.0.0.1", "port": 1}), E, "does not answer"),
    "a webhook without secret": Case("webhooks", does("message", POSTED), W, "is not signed"),
    "a webhook within": Case("webhooks", does("message", POSTED), E, "127.0.0.1 is within one's own net"),
    "a webhook of nobody": Case(
        "webhooks", does("message", POSTED.replace("127.0.0.1", "no.invalid")), E, "is not found: no.invalid"
    ),
}


async def test_the_folder_for_recordings_is_that_of_asterisk(patient: Patient) -> None:
    patient.shown["core show settings"] = "Entity ID: 02:aa\n  Spool directory:   /srv/spool"
    no_recordings(patient)
    [found] = await patient.found("recordings")
    assert (found.where, found.remedy) == (
        "/srv/spool/recording",
        "install -d -o asterisk -g asterisk /srv/spool/recording",
    )


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_what_is_found(patient: Patient, case: Case) -> None:
    case.made(patient)
    found = await patient.found(case.check)
    assert any(one.severity is case.severity and case.what in one.what for one in found), found
    assert all(one.remedy for one in found if one.severity in (E, W))
