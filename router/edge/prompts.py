"""Texts -> prompts: files that Asterisk plays, made before any call needs them.

A prompt is named by what it says and who says it, so one that is there need never be made again, old calls
and new rules share a folder, and what Asterisk is to play follows from a text alone. Each is there twice:
`.wav` for narrow-band calls (8 kHz) and `.wav16` for wide-band ones (16 kHz), so that Asterisk converts
nothing. Those that somebody recorded (`{file: recorded/NAME}`) are in a folder of their own beside them, by
the name they were given.
"""

import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from msgspec.structs import replace

from router.core.plan import OWN_RECORDINGS, Say, Speak
from router.core.remarks import RuleError, RuleErrors, RuleWarning
from router.core.ruleset import RuleSet
from router.core.spoken import in_other_language, of_hours, recordings
from router.core.spoken import texts as all_texts
from router.edge.voices import MissingProgramError, SpeechError, Voice, write_resampled

FORMATS: Mapping[str, int] = {".wav": 8000, ".wav16": 16000}
"""Ending of a file -> samples a second."""

RECORDED = OWN_RECORDINGS.removeprefix("sound:").rstrip("/")
"""The folder of those that somebody recorded."""

HOURS_AHEAD = timedelta(days=3)
"""How long before it is said what is said of hours is made."""

TOLD_EVERY = 100
"""Prompts made between two lines of the log."""

log = structlog.get_logger()

KNOWN_NAMES = 10_000
"""Names of prompts that are remembered and not computed anew in each call."""


class Prompts:
    """The prompts of one router, in a folder."""

    def __init__(self, folder: Path, seen_as: str, voice_of: Callable[[str], Voice]) -> None:
        """`seen_as` is the folder as Asterisk sees it: a path, or the address from which it fetches.
        `voice_of` a language's."""
        self.folder = folder
        self._seen_as = seen_as.rstrip("/")
        self.voice_of = voice_of
        self._ending = ".wav" if "://" in seen_as else ""  # By path Asterisk takes the best it finds.
        self.name = lru_cache(KNOWN_NAMES)(self._name)

    def media(self, prompt: Say | Speak) -> str:
        """The media URI by which Asterisk plays it, whether it is there or not."""
        if isinstance(prompt, Speak):
            return self._seen(self.name(prompt))
        if not prompt.media.startswith(OWN_RECORDINGS):
            return prompt.media  # among Asterisk's own sounds
        return self._seen(f"{RECORDED}/{prompt.media.removeprefix(OWN_RECORDINGS)}")

    def path(self, text: Speak, ending: str = ".wav") -> Path:
        """Where a text's prompt is kept."""
        return self.folder / f"{self.name(text)}{ending}"

    def named(self, name: Speak) -> str | None:
        """The media URI of a name that was made; None where it was not."""
        return None if self.missing((name,)) else self.media(name)

    def forget(self, text: str) -> None:
        """Remove the prompts in which there is this text alone, in whichever language."""
        folders = self.folder.iterdir() if self.folder.is_dir() else ()
        languages = (folder.name for folder in folders if folder.is_dir() and folder.name != RECORDED)
        for name, ending in product((Speak(text, language) for language in languages), FORMATS):
            self.path(name, ending).unlink(missing_ok=True)

    def missing(self, texts: Collection[Speak]) -> list[Speak]:
        """Those that have no prompt yet."""
        return [text for text in texts if not all(self.path(text, ending).exists() for ending in FORMATS)]

    def make(
        self, texts: Collection[Speak], told: Callable[[int], None] = lambda made: None
    ) -> dict[Speak, str]:
        """Make the prompts of all texts that have none; those that cannot be spoken, with why.

        It blocks. `told` hears after each how many are made. Nothing is left half made.
        """
        failed: dict[Speak, str] = {}
        missing = self.missing(texts)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for number, (text, why) in enumerate(
                zip(missing, pool.map(self._make, missing), strict=True), start=1
            ):
                if why is not None:
                    failed[text] = why
                told(number)
        return failed

    def recording(self, name: str, ending: str = ".wav") -> Path:
        """Where what was recorded by that name is kept."""
        return self.folder / RECORDED / f"{name}{ending}"

    def recorded(self, name: str) -> bool:
        """Whether somebody has recorded it."""
        return all(self.recording(name, ending).exists() for ending in FORMATS)

    def keep(self, name: str, recorded: bytes) -> None:
        """Keep a recording (a WAV file) by a name, in place of what was there. SpeechError or OSError."""
        _put(self.recording(name, ""), recorded)

    def try_keeping(self, wav: bytes) -> None:
        """Keep nothing, but go as far as `keep` would. Raises SpeechError or OSError."""
        with _beside(self.recording("x")) as folder:
            _write(wav, Path(folder, "x"))

    def try_out(self, language: str) -> None:
        """Speak a word, and keep nothing of it. Raises SpeechError."""
        with TemporaryDirectory() as folder:
            write_resampled(self.voice_of(language).speak("1"), 8000, Path(folder, "1.wav"))

    def _seen(self, name: str) -> str:
        return f"sound:{self._seen_as}/{name}{self._ending}"

    def _make(self, text: Speak) -> str | None:
        """Make one prompt; None, or why it cannot be made."""
        try:
            spoken = self.voice_of(text.language).speak(text.text)
            _put(self.path(text, ""), spoken)
        except SpeechError as error:
            return str(error)
        except OSError as error:
            why = f"{self.folder} cannot be written: {error.strerror}"
            return f"{why}; make it a folder that the router may write to"
        return None

    def _name(self, text: Speak) -> str:
        voice = self.voice_of(text.language).name
        digest = hashlib.sha256(f"{voice}\0{text.text}".encode()).hexdigest()[:24]
        return f"{text.language}/{digest}"


def _put(prompt: Path, wav: bytes) -> None:
    """Write the files of a prompt, whose path is without an ending: all are there whole, or none is."""
    with _beside(prompt) as folder:
        for file in _write(wav, Path(folder, prompt.name)):
            file.replace(prompt.with_name(file.name))


def _beside(prompt: Path) -> "TemporaryDirectory[str]":
    """A folder from which files can be moved to the place of `prompt`."""
    prompt.parent.mkdir(parents=True, exist_ok=True)
    return TemporaryDirectory(dir=prompt.parent, prefix=".")


def _write(wav: bytes, prompt: Path) -> list[Path]:
    """The files of a prompt, which Asterisk may read. Raises SpeechError or OSError."""
    files = []
    for ending, rate in FORMATS.items():
        file = prompt.with_name(prompt.name + ending)
        write_resampled(wav, rate, file)
        file.chmod(0o644)
        files.append(file)
    return files


def spoken(rules: RuleSet, prompts: Prompts, now: datetime) -> RuleSet | RuleErrors:
    """The rules, once every text in them is a prompt, with a warning for each recording that is not there; or
    which texts cannot be spoken. It blocks.

    Of what is said of hours, all that is said within HOURS_AHEAD of `now`.
    """
    warnings = {*rules.warnings, *unrecorded(rules, prompts)}
    rules = replace(rules, warnings=tuple(sorted(warnings)))
    texts = of_hours(rules, now, now + HOURS_AHEAD) | all_texts(rules)
    missing = prompts.missing(texts)
    if not missing:
        return rules
    log.info("making prompts", prompts=len(missing))
    failed = prompts.make(missing, _progress(len(missing)))
    if failed:
        return RuleErrors(tuple(sorted(unspoken(text, texts[text], why) for text, why in failed.items())))
    return rules


def also_spoken(rules: RuleSet, prompts: Prompts, now: datetime, languages: Iterable[str]) -> frozenset[str]:
    """Those of the languages in which all is made that the product says to callers. It blocks."""
    spoken = set()
    for language in languages:
        texts = in_other_language(rules, language, now, now + HOURS_AHEAD)
        missing = prompts.missing(texts)
        failed = prompts.make(missing, _progress(len(missing))) if missing else {}
        if failed:
            why = next(iter(failed.values()))
            log.error("callers are not spoken to in their language", language=language, error=why)
        else:
            spoken.add(language)
    return frozenset(spoken)


def unrecorded(rules: RuleSet, prompts: Prompts) -> Iterator[RuleWarning]:
    """A warning for each recording that rules name and nobody has recorded."""
    for name, place in recordings(rules).items():
        if not prompts.recorded(name):
            what = f"nobody has recorded `{RECORDED}/{name}` here, so callers hear nothing in its place"
            yield RuleWarning(*_mark(place), what, f"callrouter prompts record {name} --ring PJSIP/PHONE")


def with_voices(rules: RuleSet, prompts: Prompts) -> RuleSet | RuleErrors:
    """The rules with a warning where a text cannot be tried on this machine, or the errors of languages that
    nobody speaks. One word of each is tried. It blocks."""
    first: dict[str, str] = {}
    for text, place in all_texts(rules).items():
        first.setdefault(text.language, place)
    errors, warnings = [], [*rules.warnings, *unrecorded(rules, prompts)]
    for language, place in first.items():
        try:
            prompts.try_out(language)
        except MissingProgramError as error:
            what, _, instead = str(error).partition("; ")
            warnings.append(
                RuleWarning(*_mark(place), f"texts in {language} cannot be tried: {what}", instead)
            )
        except SpeechError as error:
            what = f"nobody here speaks {language} ({error})"
            errors.append(
                RuleError(*_mark(place), what, "set another `language`, or a voice in `speech.voices`")
            )
    if errors:
        return RuleErrors(tuple(sorted(errors)))
    return replace(rules, warnings=tuple(sorted(warnings)))


def _progress(total: int) -> Callable[[int], None]:
    def told(made: int) -> None:
        if made % TOLD_EVERY == 0 or made == total:
            log.info("prompts made", made=made, of=total)

    return told


def unspoken(text: Speak, place: str, why: str) -> RuleError:
    """The error of a text that cannot be spoken, at its place, `file:line`."""
    what, _, instead = why.partition("; ")
    return RuleError(
        *_mark(place), f"`{text.text[:40]}` cannot be spoken in {text.language}: {what}", instead
    )


def _mark(place: str) -> tuple[str, int, int]:
    """Of `file:line`."""
    file, _, line = place.rpartition(":")
    return file, int(line), 1
