"""Texts become prompts: real files by espeak-ng and sox, once, and errors in words where that cannot be."""

import asyncio
import stat
import wave
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from router.core.dialling import Dialling
from router.core.plan import Say, Speak
from router.core.remarks import RuleErrors
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.edge import voices
from router.edge.names import MOST, Names
from router.edge.prompts import FORMATS, Prompts, spoken, unrecorded, with_voices
from router.edge.voices import Espeak, MissingProgramError, Piper, SpeechError, run, voice_of
from router.edge.wav import seconds_of, seconds_spoken

HELLO = Speak("Hei på deg.", "nb")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
RULES = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
language: nb
hours: {office: {week: {mon-fri: "08:00-16:00"}}}
greeting: Velkommen.
routes: [{name: main, do: [{say: hours}, {say: Ha det.}, hangup]}]
"""


class Voice:
    """A voice that cannot speak, and counts how often it is asked."""

    def __init__(self, error: SpeechError) -> None:
        self.name = "nobody"
        self.error = error
        self.asked = 0

    def speak(self, text: str) -> bytes:
        self.asked += 1
        raise self.error


def prompts(folder: Path, seen_as: str = "callrouter") -> Prompts:
    return Prompts(folder, seen_as, lambda language: voice_of(language, {}, 150))


def rules(text: str = RULES) -> RuleSet:
    compiled = compile_rules({"fjord.yaml": text}, Dialling())
    assert isinstance(compiled, RuleSet), compiled
    return compiled


def test_a_text_is_spoken_once_at_both_rates(tmp_path: Path) -> None:
    voice, told = prompts(tmp_path), list[int]()
    assert voice.make([HELLO], told.append) == {}
    assert told == [1]
    for ending, rate in ((".wav", 8000), (".wav16", 16000)):
        file = voice.path(HELLO, ending)
        with wave.open(str(file)) as sound:
            assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (rate, 1, 2)
            assert 0.5 < sound.getnframes() / rate < 5
        assert 0.4 < seconds_spoken(file.read_bytes()) < seconds_of(file.read_bytes())
        assert stat.S_IMODE(file.stat().st_mode) == 0o644, "Asterisk is another user"
    assert voice.missing([HELLO]) == []
    assert sorted(path.suffix for path in tmp_path.glob("nb/*")) == [".wav", ".wav16"], "and nothing else"


async def test_names_are_made_one_after_the_other_once_they_are_wanted(tmp_path: Path) -> None:
    voice, kari, ola = prompts(tmp_path), Speak("Kari", "nb"), Speak("Ola", "en")
    names = Names(voice)
    assert voice.named(kari) is None
    task = asyncio.create_task(names.run())
    names.want([kari, ola])
    async with asyncio.timeout(20):
        while voice.missing([kari, ola]):
            await asyncio.sleep(0.01)
    task.cancel()
    assert voice.named(kari) == voice.media(kari)
    voice.forget("Kari")
    assert voice.named(kari) is None
    assert voice.named(ola) is not None
    prompts(tmp_path / "none").forget("Kari")


async def test_a_name_that_cannot_be_spoken_is_told_without_it(tmp_path: Path) -> None:
    names = Names(Prompts(tmp_path, "x", lambda language: Voice(SpeechError("no breath"))))
    with capture_logs() as told:
        task = asyncio.create_task(names.run())
        names.want([Speak(str(number), "nb") for number in range(MOST + 1)])
        async with asyncio.timeout(20):
            while len(told) < MOST:
                await asyncio.sleep(0.01)
        task.cancel()
    assert told[0] == {
        "event": "name of a caller not spoken", "log_level": "warning", "language": "nb", "error": "no breath"
    }  # fmt: skip


def test_what_is_played_follows_from_the_text_alone(tmp_path: Path) -> None:
    voice = prompts(tmp_path)
    name = voice.name(HELLO)
    assert voice.media(HELLO) == f"sound:callrouter/{name}"
    assert prompts(tmp_path, "http://10.0.0.5:8090/prompts").media(HELLO) == (
        f"sound:http://10.0.0.5:8090/prompts/{name}.wav"
    )
    assert voice.name(Speak("Hei på deg!", "nb")) != name
    assert Prompts(tmp_path, "x", lambda language: voice_of(language, {}, 200)).name(HELLO) != name


def test_what_somebody_recorded_is_kept_by_its_name(tmp_path: Path) -> None:
    voice, recording = prompts(tmp_path), Say("sound:recorded/sorry")
    assert voice.media(Say("sound:hello")) == "sound:hello", "Asterisk's own"
    assert voice.media(recording) == "sound:callrouter/recorded/sorry"
    assert (
        prompts(tmp_path, "http://x/prompts").media(recording) == "sound:http://x/prompts/recorded/sorry.wav"
    )
    named = rules(RULES.replace("{say: Ha det.}", "{say: {file: recorded/sorry}}"))
    assert [str(one) for one in unrecorded(named, voice)] == [
        "fjord.yaml:9:1: nobody has recorded `recorded/sorry` here, so callers hear nothing in its place; "
        "callrouter prompts record sorry --ring PJSIP/PHONE"
    ]
    loaded = spoken(named, voice, NOW)
    assert isinstance(loaded, RuleSet)
    assert loaded.warnings == tuple(unrecorded(named, voice)), "whoever loads rules is told"
    assert spoken(loaded, voice, NOW) == loaded, "and not twice"
    voice.make([HELLO])
    voice.keep("sorry", voice.path(HELLO, ".wav16").read_bytes())
    with wave.open(str(voice.recording("sorry"))) as sound:
        assert (sound.getframerate(), sound.getsampwidth()) == (8000, 2)
    assert voice.recording("sorry", ".wav16").exists()
    assert list(unrecorded(named, voice)) == []
    voice.recording("sorry", ".wav16").unlink()
    assert len(list(unrecorded(named, voice))) == 1, "half of it is not enough"


@pytest.mark.parametrize("rate", FORMATS.values(), ids=FORMATS)
def test_what_cannot_be_kept_whole_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rate: int
) -> None:
    voice = prompts(tmp_path)
    voice.make([HELLO])
    wav = voice.path(HELLO).read_bytes()
    voice.keep("sorry", wav)
    before = {file: file.stat().st_ino for file in (tmp_path / "recorded").iterdir()}

    def fail(wav: bytes, at: int, file: Path) -> None:
        if at == rate:
            raise SpeechError("sox: disk full")
        voices.write_resampled(wav, at, file)

    monkeypatch.setattr("router.edge.prompts.write_resampled", fail)
    with pytest.raises(SpeechError, match="disk full"):
        voice.try_keeping(wav)
    with pytest.raises(SpeechError, match="disk full"):
        voice.keep("sorry", wav)
    assert {file: file.stat().st_ino for file in (tmp_path / "recorded").iterdir()} == before


def test_all_texts_of_rules_are_made_when_they_are_loaded(tmp_path: Path) -> None:
    voice = prompts(tmp_path)
    loaded = rules()
    assert spoken(loaded, voice, NOW) == loaded
    assert voice.missing([Speak(text, "nb") for text in ("Velkommen.", "Ha det.")]) == []
    told = Speak("Vi har åpent til klokken 16.", "nb")
    assert voice.missing([told]) == []
    with capture_logs() as logged:
        assert spoken(loaded, voice, NOW) == loaded
    assert logged == [], "a second time there is nothing to do"


def test_a_language_that_nobody_speaks_is_an_error_at_its_place(tmp_path: Path) -> None:
    loaded = rules(RULES.replace("language: nb", "language: zz"))
    refused = spoken(loaded, prompts(tmp_path), NOW)
    assert isinstance(refused, RuleErrors)
    assert str(refused.errors[0]).startswith(
        "fjord.yaml:8:1: `Velkommen.` cannot be spoken in zz: espeak-ng: "
    )
    checked = with_voices(loaded, prompts(tmp_path))
    assert isinstance(checked, RuleErrors)
    assert checked.errors[0].what.startswith("nobody here speaks zz (espeak-ng: ")


def test_a_machine_without_a_voice_warns_when_rules_are_checked(tmp_path: Path) -> None:
    voice = Voice(MissingProgramError("there is no espeak-ng here; install Debian's package espeak-ng"))
    checked = with_voices(rules(), Prompts(tmp_path, "x", lambda language: voice))
    assert isinstance(checked, RuleSet)
    assert [str(one) for one in checked.warnings][:1] == [
        "fjord.yaml:8:1: texts in nb cannot be tried: there is no espeak-ng here; "
        "install Debian's package espeak-ng"
    ]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "nb").write_text("in the way")
    why = prompts(tmp_path).make([HELLO])[HELLO]
    assert why == f"{tmp_path} cannot be written: File exists; make it a folder that the router may write to"


FAILURES: list[tuple[str, tuple[str, ...], str]] = [
    ("is not there", ("no-such-program",), "there is no no-such-program here; install it"),
    ("fails", ("sh", "-c", "echo too bad >&2; exit 3"), "sh: too bad"),
    ("fails without a word", ("sh", "-c", "exit 3"), "sh: exit status 3"),
    ("takes too long", ("sleep", "5"), "sleep was not done in 0.1 s"),
]


@pytest.mark.parametrize(("command", "why"), [row[1:] for row in FAILURES], ids=[row[0] for row in FAILURES])
def test_a_program_that(command: tuple[str, ...], why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voices, "LIMIT", 0.1 if command[0] == "sleep" else 10.0)
    with pytest.raises(SpeechError) as told:
        run(command, b"", "install it")
    assert str(told.value) == why


def test_piper_speaks_the_languages_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "piper"
    program.write_text('#!/bin/sh\ncat >/dev/null\necho "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    model = Path("/voices/nb.onnx")
    voice = voice_of("nb", {"nb": model}, 150)
    assert isinstance(voice, Piper)
    assert voice.speak("Hei.") == b"--model /voices/nb.onnx --output_file -\n"
    assert isinstance(voice_of("da", {"nb": model}, 150), Espeak)
    program.write_text("#!/bin/sh\ncat >/dev/null\n")
    with pytest.raises(SpeechError, match="piper says nothing"):
        voice.speak("Hei.")
