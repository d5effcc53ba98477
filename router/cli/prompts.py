"""`callrouter prompts`: what callers may hear, made beforehand, and looked at."""

import asyncio
import re
import signal
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from shutil import copyfile
from tempfile import NamedTemporaryFile
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from router.cli.check import load_rules, print_remarks
from router.cli.options import FAILED, WRONG, Config, Json, Rules, prompts, read_settings, rules_file
from router.cli.words import in_columns
from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase
from router.core.plan import Speak
from router.core.ruleset import RuleSet
from router.core.speechtexts import RECORDING_NAME
from router.core.spoken import of_hours, recordings, texts
from router.edge.ari.errors import SetupError
from router.edge.dictation import DictationError, Script, dictate
from router.edge.prompts import HOURS_AHEAD, RECORDED, Prompts, unspoken
from router.edge.voices import SpeechError
from router.edge.wav import seconds_of


class Row(msgspec.Struct):
    """One prompt."""

    language: str
    """Empty for one that somebody recorded; its name is the text."""
    text: str
    place: str
    file: str
    made: bool


class Kept(msgspec.Struct):
    """One that was recorded now."""

    name: str
    seconds: float
    file: str


_PHONE = re.compile(r"[A-Za-z]{2,20}/[A-Za-z0-9_.@+-]{1,80}")

app = typer.Typer(name="prompts", add_completion=False, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def list_prompts(
    context: typer.Context, rules: Rules = None, as_json: Json = False, config: Config = None
) -> None:
    """Every text that callers and employees may hear, where it is written, and whether its prompt is made."""
    if context.invoked_subcommand is not None:
        return
    voice, loaded = _read(config, rules)
    rows = [
        Row(text.language, text.text, place, str(voice.path(text)), not voice.missing([text]))
        for text, place in _texts(loaded).items()
    ]
    for name, place in recordings(loaded).items():
        file = str(voice.recording(name))
        rows.append(Row("", f"{RECORDED}/{name}", place, file, voice.recorded(name)))
    if as_json:
        for row in rows:
            typer.echo(msgspec.json.encode(row).decode())
        return
    table = [(row.language, "made" if row.made else "missing", row.place, row.text) for row in rows]
    for line in in_columns([("language", "prompt", "place", "text"), *table]):
        typer.echo(line)


@app.command()
def make(rules: Rules = None, config: Config = None) -> None:
    """Make all prompts that are missing, as the router does when it loads the rules.

    Exit status 1 if one cannot be made.
    """
    voice, loaded = _read(config, rules)
    wanted = _texts(loaded)
    missing = voice.missing(wanted)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("prompts", total=len(missing))
        failed = voice.make(missing, lambda made: progress.update(task, completed=made))
    print_remarks(sorted(unspoken(text, wanted[text], why) for text, why in failed.items()))
    typer.echo(
        f"{len(missing) - len(failed)} made, {len(wanted) - len(missing)} were there, {len(failed)} failed"
    )
    if failed:
        raise typer.Exit(FAILED)


@app.command()
def save(
    text: Annotated[str, typer.Argument(help="What is said.")],
    file: Annotated[Path, typer.Argument(help="Where to: a WAV file, 8 kHz.")],
    language: Annotated[str, typer.Option(help="Its language, as in rules.")] = "en",
    config: Config = None,
) -> None:
    """Speak a text into a file, to hear it. Exit status 1 if it cannot be spoken."""
    voice = prompts(read_settings(config))
    said = Speak(text, language)
    for why in voice.make([said]).values():
        typer.echo(f"`{text}` cannot be spoken in {language}: {why}", err=True)
        raise typer.Exit(FAILED)
    try:
        copyfile(voice.path(said), file)
    except OSError as error:
        typer.echo(f"`{file}` cannot be written ({error.strerror}); name another file", err=True)
        raise typer.Exit(WRONG) from error


@app.command()
def record(
    name: Annotated[str, typer.Argument(help="Its name: rules then play it as {file: recorded/NAME}.")],
    ring: Annotated[str, typer.Option(metavar="PHONE", help="Where it is spoken, such as PJSIP/100.")],
    language: Annotated[str, typer.Option(help="What who speaks is told in.")] = "en",
    as_json: Json = False,
    config: Config = None,
) -> None:
    """Record a prompt by phone: PHONE rings, and who answers speaks after the tone, presses #, hears it, and
    keeps it by 1 or speaks again by 3. What was recorded by that name before is replaced then.

    The router need not run, unless Asterisk fetches prompts from it (`speech.seen_as` is an address). Exit
    status 1 if nothing was kept.
    """
    if not RECORDING_NAME.fullmatch(name) or not _PHONE.fullmatch(ring):
        what = f"`{name}` is no name; use at most 64 letters, digits, - and _"
        wrong = what if not RECORDING_NAME.fullmatch(name) else f"`{ring}` is no phone; write it as PJSIP/100"
        typer.echo(wrong, err=True)
        raise typer.Exit(WRONG)
    settings = read_settings(config)
    voice = prompts(settings)
    keeping = _Keeping(voice, name)
    try:
        script = _script(voice, language)
        asyncio.run(_until_told(dictate(settings.ari.connection, ring, script, keeping.keep, _tell)))
    except (DictationError, SetupError, SpeechError) as error:
        typer.echo(f"callrouter: {error}", err=True)
        raise typer.Exit(FAILED) from error
    except asyncio.CancelledError as error:
        if not keeping.done:
            typer.echo("callrouter: told to end, so nothing was kept", err=True)
            raise typer.Exit(FAILED) from error
    kept = Kept(name, seconds_of(voice.recording(name).read_bytes()), str(voice.recording(name)))
    if as_json:
        typer.echo(msgspec.json.encode(kept).decode())
    else:
        typer.echo(f"kept {kept.seconds:.1f} s in {kept.file}; rules play it as {{file: {RECORDED}/{name}}}")


class _Keeping:
    """Where the recording goes."""

    def __init__(self, voice: Prompts, name: str) -> None:
        self.done = False
        self._voice = voice
        self._name = name

    def keep(self, recorded: bytes) -> None:
        """Keep it, else put it where it can be fetched from by hand, and raise DictationError."""
        try:
            self._voice.keep(self._name, recorded)
        except (SpeechError, OSError) as error:
            raise DictationError(f"{_unkept(self._voice, error)}; {self._set_aside(recorded)}") from error
        self.done = True

    def _set_aside(self, recorded: bytes) -> str:
        """Where it is then, in words."""
        try:
            with NamedTemporaryFile(prefix=f"{self._name}-", suffix=".wav", delete=False) as file:
                file.write(recorded)
        except OSError as error:
            return f"nor can what was spoken be put anywhere else ({error.strerror})"
        return f"what was spoken is in {file.name}"


async def _until_told(dictation: Coroutine[None, None, None]) -> None:
    """Dictate, but end in good order at a signal; further ones change nothing."""
    task = asyncio.ensure_future(dictation)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _cancel_once, task)
    await task


def _cancel_once(task: asyncio.Task[None]) -> None:
    if not task.cancelling():
        task.cancel()


def _tell(progress: str) -> None:
    typer.echo(progress, err=True)


def _script(voice: Prompts, language: str) -> Script:
    """What who records a prompt hears, once it is sure that it can be kept. Raises SpeechError."""
    said = [
        phrase(language, "informal", which)
        for which in (Phrase.SPEAK_PROMPT, Phrase.NOT_HEARD, Phrase.KEEP_PROMPT, Phrase.PROMPT_KEPT)
    ]
    for why in voice.make(said).values():
        raise SpeechError(why)
    try:
        voice.try_keeping(voice.path(said[0]).read_bytes())
    except OSError as error:
        raise SpeechError(f"{_unkept(voice, error)}; make it a folder that you may write to") from error
    return Script(*map(voice.media, said))


def _unkept(voice: Prompts, error: SpeechError | OSError) -> str:
    if isinstance(error, SpeechError):
        return str(error)
    return f"{voice.recording('x').parent} cannot be written ({error.strerror})"


def _read(config: Path | None, rules: Path | None) -> tuple[Prompts, RuleSet]:
    settings = read_settings(config)
    return prompts(settings), load_rules(rules_file(settings, rules))


def _texts(rules: RuleSet) -> dict[Speak, str]:
    now = datetime.now(UTC)
    return texts(rules) | of_hours(rules, now, now + HOURS_AHEAD)
