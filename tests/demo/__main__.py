"""`make demo`. Exit status 0 only if every call met the fate that it must."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

from rich.console import Console
from rich.table import Table

from router.core.plan import Speak
from router.core.record import CallRecord
from tests.demo.stories import ASKED, CLIENT, PHONES, STORIES, TRUNK, Story
from tests.harness.media import Media
from tests.harness.router import RouterProcess
from tests.harness.sandbox import Sandbox
from tests.harness.sipp import Callee, Caller, register

RULES = Path(__file__).with_name("rules.yaml")
LIMIT = 45.0
"""Seconds all calls may take together."""

MOMENT = 0.8
"""Seconds in which a tone is over."""

console = Console(width=max(Console().width, 150))


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    console.print(f"[bold]{what}[/] ...")
    begun = time.monotonic()
    yield
    console.print(f"    done in {time.monotonic() - begun:.1f} s")


def main() -> int:
    """Run the demonstration; the exit status."""
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="callrouter-demo-") as folder:
        with step("Starting a real Asterisk (the first time it is made from Debian's packages, about 40 s)"):
            sandbox = Sandbox("demo", "--rtp-timeout", "0")
            stack.callback(sandbox.down)
        with step("Starting callrouter"):
            router = RouterProcess(sandbox, Path(folder), {"demo.yaml": RULES.read_text(encoding="utf-8")})
            stack.callback(router.kill)
            router.start()
        with step(f"Registering {len(PHONES)} phones, and one far end of the trunk"):
            for phone in (*place_phones(sandbox), Callee(*TRUNK, port=sandbox.trunk_port)):
                stack.callback(phone.stop)
        with step(f"Placing {len(STORIES)} real calls by SIP"):
            unlike = place_calls(sandbox, stack)
        found = read_records(router)
        messages, report = typed(router, "messages"), typed(router, "report", "--rules", str(router.rules))
        left = sandbox.left_behind()
        clean = router.stop() == 0
    wrong = show(found)
    for command, told in (("messages", messages), ("report", report)):
        console.print(f"[bold]callrouter {command}[/]")
        console.print(told, markup=False, highlight=False)
    problems = [
        *(f"the caller saw something else: {what}" for what in unlike),
        *(f"not as it must be: {what}" for what in wrong),
        *(f"left in Asterisk: {name}" for name in left),
        *([] if clean else ["callrouter did not stop cleanly"]),
    ]
    for problem in problems:
        console.print(f"[red]{problem}[/]")
    if not problems:
        console.print(f"[green]All {len(STORIES)} calls went as they must; nothing is left in Asterisk.[/]")
    return 1 if problems else 0


def place_phones(sandbox: Sandbox) -> list[Callee]:
    """The softphones, registered."""
    phones = {number: Callee(*moves) for number, moves in PHONES.items()}
    register(sandbox, [(sandbox.phones[number - 100], phone.port) for number, phone in phones.items()])
    return list(phones.values())


def place_calls(sandbox: Sandbox, stack: ExitStack) -> list[str]:
    """Place all calls at once, and wait for their ends; those whose callers saw what they did not expect."""
    under_way: dict[Caller, Story] = {}
    for story in STORIES:
        media = Media()
        stack.callback(media.close)
        caller = Caller(
            sandbox,
            CLIENT + story.dialled,
            *story.moves,
            user=story.user,
            limit=LIMIT,
            keys={"ear": media.port},
        )
        stack.callback(caller.stop)
        Thread(target=act, args=(sandbox, media, story), daemon=True).start()
        under_way[caller] = story
    unlike: list[str] = []
    until = time.monotonic() + LIMIT
    while under_way and time.monotonic() < until:
        for caller in [caller for caller in under_way if caller.process.poll() is not None]:
            story = under_way.pop(caller)
            ended = caller.wait()
            unlike += [] if ended.as_written else [f"{story.what}\n{ended.errors[:800]}"]
            console.print(f"    [{'green' if ended.as_written else 'red'}]over[/]  a caller {story.what}")
        time.sleep(0.05)
    return unlike + [f"{story.what}: not over in time" for story in under_way.values()]


def act(sandbox: Sandbox, media: Media, story: Story) -> None:
    """Press each key, and speak, when what comes before it is heard."""
    for heard, done in story.acts:
        if heard:
            media.wait_for(sandbox.prompt(Speak(heard, "en")))
        else:
            time.sleep(MOMENT)
        if isinstance(done, str):
            media.press(done)
        else:
            media.speak(sandbox.prompt(Speak(ASKED, "en")), done)


def read_records(router: RouterProcess) -> dict[Story, CallRecord]:
    """What callrouter wrote down, by story."""
    records = router.records(CLIENT, count=len(STORIES))
    known = {(record.info.dialled, record.info.caller): record for record in records}
    keys = {story: (CLIENT + story.dialled, story.user) for story in STORIES}
    return {story: known[key] for story, key in keys.items() if key in known}


def typed(router: RouterProcess, *words: str) -> str:
    """What a command tells an administrator."""
    program = Path(sys.executable).with_name("callrouter")
    command = [str(program), *words, "--config", str(router.config)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout


def show(found: dict[Story, CallRecord]) -> list[str]:
    """Print the table; the stories whose record is not what it must be."""
    table = Table(title="What became of each call", title_style="bold")
    for column in ("a caller ...", "disposition", "reason", "hung up by", "rang", "talked", "attempts", ""):
        table.add_column(column)
    wrong: list[str] = []
    for story in STORIES:
        record = found.get(story)
        seen = _told(record) if record else ("no record", "", "", "")
        right = seen == (story.disposition, story.reason, story.hung_up_by, story.attempts)
        wrong += [] if right else [story.what]
        rang, talked = (record.ring_seconds, record.talk_seconds) if record else (0.0, 0.0)
        lasted = [f"{seconds:.1f} s" if seconds else "" for seconds in (rang, talked)]
        table.add_row(story.what, *seen[:3], *lasted, seen[3], "[green]ok[/]" if right else "[red]wrong[/]")
    console.print(table)
    return wrong


def _told(record: CallRecord) -> tuple[str, str, str, str]:
    attempts = ", ".join(f"{attempt.target} {attempt.outcome}" for attempt in record.attempts)
    return record.disposition, record.reason, record.hung_up_by or "", attempts


if __name__ == "__main__":
    sys.exit(main())
