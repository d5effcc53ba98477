"""Voices: programs that speak a text. Each is given the text on standard input and has a time limit."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

LIMIT = 60.0
"""Seconds in which a text must have been spoken."""


class SpeechError(Exception):
    """A text cannot be spoken. Its text says why, and what to do."""


class MissingProgramError(SpeechError):
    """A program is not on this machine."""


class Voice(Protocol):
    """Who speaks."""

    @property
    def name(self) -> str:
        """Changes whenever the same text would sound otherwise."""

    def speak(self, text: str) -> bytes:
        """A WAV file, mono, of any rate. Raises SpeechError."""


class Espeak:
    """espeak-ng, which has a voice for a hundred languages."""

    def __init__(self, language: str, speed: int) -> None:
        """`speed` is words a minute."""
        self.name = f"espeak-ng {language} {speed}"
        self._command = ("espeak-ng", "-v", language, "-s", str(speed), "--stdin", "--stdout")

    def speak(self, text: str) -> bytes:
        """What espeak-ng makes of the text. Raises SpeechError."""
        return _spoken(run(self._command, text.encode(), "install Debian's package espeak-ng"), "espeak-ng")


class Piper:
    """piper, with a voice that was trained for one language."""

    def __init__(self, model: Path) -> None:
        self.name = f"piper {model.name}"
        self._command = ("piper", "--model", str(model), "--output_file", "-")

    def speak(self, text: str) -> bytes:
        """What piper makes of the text. Raises SpeechError."""
        remedy = "install piper, or take the language out of `speech.voices`"
        return _spoken(run(self._command, text.encode(), remedy), "piper")


def voice_of(language: str, models: Mapping[str, Path], speed: int) -> Voice:
    """Who speaks a language: the model given for it, else espeak-ng."""
    model = models.get(language)
    return Espeak(language, speed) if model is None else Piper(model)


def write_resampled(wav: bytes, rate: int, file: Path) -> None:
    """Write the same at another rate (Hz), 16 bits, as loud as may be without clipping. Raises SpeechError.

    To a file, not to a pipe, on which sox cannot go back to write into the header how long it is.
    """
    sound = ("-b", "16", "-c", "1", "-t", "wav", str(file), "gain", "-n", "-1", "rate", str(rate))
    run(("sox", "-V1", "-t", "wav", "-", *sound), wav, "install Debian's package sox")
    if not file.stat().st_size:
        raise SpeechError("sox wrote nothing")


def run(command: Sequence[str], data: bytes, remedy: str) -> bytes:
    """What a program prints, given `data`. Raises SpeechError, with `remedy` where there is no such one."""
    program = command[0]
    if shutil.which(program) is None:
        raise MissingProgramError(f"there is no {program} here; {remedy}")
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        raise SpeechError(f"{program} was not done in {LIMIT:g} s") from None
    except OSError as error:
        raise SpeechError(f"{program} does not run: {error}") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip() or f"exit status {done.returncode}"
        raise SpeechError(f"{program}: {said}")
    return done.stdout


def _spoken(wav: bytes, program: str) -> bytes:
    if not wav:
        raise SpeechError(f"{program} says nothing")
    return wav
