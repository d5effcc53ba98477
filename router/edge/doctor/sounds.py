"""Is all there that callers are to hear, and can Asterisk read it? Can what they say be recorded?"""

import os
import pwd
import re
import stat
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import aiohttp
import msgspec

from router.core.findings import NAMED, Finding, error, named, not_checked, note, ok, warning
from router.core.needs import RECORDING, features, sounds
from router.core.plan import Speak
from router.core.remarks import RuleErrors
from router.core.ruleset import RuleSet
from router.core.spoken import of_hours, recordings, texts
from router.edge.doctor.daemon import answers
from router.edge.doctor.listening import port
from router.edge.doctor.visit import CannotTellError, Visit, aside
from router.edge.prompts import FORMATS, RECORDED, Prompts

BREAK_GLASS = ("im-sorry", "one-moment-please", "please-try-call-later")
"""What the dialplan plays by itself."""


SPOOL = "/var/spool/asterisk"
"""Where Asterisk keeps recordings, if its console does not say otherwise."""
_SPOOL = re.compile(r"Spool directory:\s*(\S+)")


class Sound(msgspec.Struct, frozen=True):
    id: str


async def prompts(visit: Visit) -> AsyncIterator[Finding]:
    """Of every language, and those that somebody recorded."""
    rules, kept, now = visit.rules, visit.of.prompts, visit.now()
    wanted = await aside(lambda: of_hours(rules, now, now + timedelta(hours=1)) | texts(rules))
    running = await answers(visit.settings.web)
    languages = sorted({text.language for text in wanted})
    for language in languages:
        of_language = [text for text in wanted if text.language == language]
        missing = await aside(partial(kept.missing, of_language))
        if missing:
            yield _missing(language, missing, wanted, len(of_language), kept.folder, running=running)
        else:
            yield ok(f"all {len(of_language)} prompts in {language} are made", str(kept.folder / language))
    for name, place in recordings(rules).items():
        if not kept.recorded(name):
            remedy = f"callrouter prompts record {name} --ring PJSIP/PHONE"
            yield error(f"nobody has recorded `{RECORDED}/{name}`, so callers hear nothing", remedy, place)
    for finding in await _readable(visit, rules, [one for one in wanted if not kept.missing([one])][:1]):
        yield finding


def _missing(
    language: str,
    missing: list[Speak],
    wanted: dict[Speak, str],
    many: int,
    folder: Path,
    *,
    running: bool,
) -> Finding:
    """A router that runs has made them once; one that starts makes them."""
    first = missing[0]
    what = f"{len(missing)} of {many} prompts in {language} are missing in {folder}: `{first.text[:40]}`"
    severity = error if running else warning
    later = "" if running else "; a router that starts makes them, too"
    return severity(what, f"callrouter prompts make{later}", wanted[first])


async def _readable(visit: Visit, rules: RuleSet, made: list[Speak]) -> list[Finding]:
    """By Asterisk, as far as that can be seen from here."""
    seen_as = visit.settings.speech.seen_as or ""
    if not made:
        return []
    if "://" in seen_as:
        return [await _fetched(visit, made[0])]
    if not visit.asterisk_is_here:
        what = "whether Asterisk can read the prompts: it is on another machine"
        return [not_checked(what, "set `speech.seen_as: http://ROUTER:8090/prompts`, or call it")]
    users = {listener.user for listener in (await aside(lambda: port(visit.ari_port))).listeners}
    if not users:
        return [not_checked("whether Asterisk can read the prompts: it is not seen on this machine")]
    return await aside(lambda: list(_by_user(visit.of.prompts, made[0], users.pop())))


async def _fetched(visit: Visit, made: Speak) -> Finding:
    address = f"{visit.settings.speech.seen_as}/{visit.of.prompts.name(made)}.wav"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
            session.get(address) as reply,
        ):
            if reply.status == 200:
                return ok("prompts can be fetched, from here at least", address)
            why = f"it answers {reply.status}"
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as problem:
        why = str(problem) or type(problem).__name__
    if not await answers(visit.settings.web):
        return not_checked("whether prompts can be fetched: no router is running", "callrouter run", address)
    remedy = "set `speech.seen_as` to where `web.host` and `web.port` are, as Asterisk reaches them"
    return error(f"prompts cannot be fetched: {why}", remedy, address)


def _by_user(kept: Prompts, made: Speak, user: int) -> Iterator[Finding]:
    groups = _groups(user)
    files = [kept.path(made, ending) for ending in FORMATS]
    for path in (*reversed(files[0].absolute().parents), *files):
        try:
            seen = path.stat()
        except OSError as problem:
            why = f"we cannot look at {path} ourselves ({problem.strerror})"
            yield not_checked(f"whether Asterisk can read the prompts: {why}")
            return
        if not may_read(seen, user, groups):
            remedy = f"chmod o+{'rx' if path.is_dir() else 'r'} {path}, or set `speech.folder` to another one"
            yield error(f"Asterisk, as user {_name(user)}, cannot read the prompts", remedy, str(path))
            return
    yield ok(f"Asterisk, as user {_name(user)}, can read the prompts", str(kept.folder))


def may_read(of: os.stat_result, user: int, groups: Collection[int]) -> bool:
    """Whether a user may read a file, or pass through a folder."""
    if user == 0:
        return True
    bit = stat.S_IXOTH if stat.S_ISDIR(of.st_mode) else stat.S_IROTH
    if of.st_uid == user:
        return bool(of.st_mode & bit << 6)
    return bool(of.st_mode & (bit << 3 if of.st_gid in groups else bit))


def _groups(user: int) -> set[int]:
    try:
        entry = pwd.getpwuid(user)
    except KeyError:
        return set()
    return set(os.getgrouplist(entry.pw_name, entry.pw_gid))


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


async def asterisks(visit: Visit) -> AsyncIterator[Finding]:
    """Sounds of Asterisk's own."""
    found = await visit.get("sounds", list[Sound])
    if found is None:
        raise CannotTellError("Asterisk's own sounds: res_ari_sounds.so is not loaded")
    known = {one.id for one in found}
    wanted = sounds(visit.rules)
    missing = {name: place for name, place in wanted.items() if name not in known}
    remedy = (
        "correct the name, or put the file among Asterisk's sounds; if it was put there since Asterisk "
        "started: asterisk -rx 'module reload sounds'"
    )
    for name, place in [*missing.items()][:NAMED]:
        yield warning(f"Asterisk knows no sound `{name}`, so callers hear nothing", remedy, place)
    if len(missing) > NAMED:
        more = [*missing][NAMED:]
        yield warning(f"{len(more)} more sounds are not known: {named(more)}", "as above")
    apart = _without(BREAK_GLASS, known)
    if apart:
        what = f"Asterisk has no {named(apart)}, which callers hear while there is no router"
        yield warning(what, "install core sounds: apt install asterisk-core-sounds-en")
    if not (missing or apart):
        yield ok(f"Asterisk has the {len(wanted) + len(BREAK_GLASS)} sounds of its own that are played")


def _without(wanted: Iterable[str], known: Collection[str]) -> list[str]:
    return [name for name in wanted if name not in known]


async def recorded(visit: Visit) -> AsyncIterator[Finding]:
    """Is the folder there in which Asterisk records? It makes none, and Debian's package has none.

    Without it Asterisk can neither record nor list recordings, and answers 500 to both: ast_ari_recordings_
    list_stored() (res/ari/resource_recordings.c) takes a folder that cannot be opened for want of memory.
    """
    reply = await visit.reply("recordings/stored")
    if reply.status == 404:
        raise CannotTellError("the folder for recordings: res_ari_recordings.so is not loaded")
    if reply.status not in (200, 500):
        raise CannotTellError(f"the folder for recordings: ARI answers {reply.status} {reply.reason}")
    spool = SPOOL
    with suppress(CannotTellError):
        found = _SPOOL.search(await visit.ask_console("core show settings"))
        spool = found[1] if found else SPOOL
    folder = f"{spool}/recording"
    if reply.status == 200:
        yield ok("Asterisk has the folder in which it records", folder)
        return
    what = "Asterisk cannot open the folder in which it records, so "
    remedy = f"install -d -o asterisk -g asterisk {folder}"
    if isinstance(visit.loaded, RuleErrors) or RECORDING in features(visit.loaded, fetched=False):
        yield error(what + "callers can leave no message", remedy, folder)
    else:
        yield note(what + "no prompt can be recorded by phone; no rule takes messages", remedy, folder)
