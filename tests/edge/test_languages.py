"""The languages of contacts: spoken once all is made that they may hear, by espeak-ng and sox."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from router.core.dialling import Dialling
from router.core.languages.catalogue import Phrase
from router.core.phrases import phrase
from router.core.rules import compile_rules
from router.core.ruleset import RuleSet
from router.edge.languages import Languages
from router.edge.prompts import Prompts
from router.edge.voices import SpeechError, Voice, voice_of

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
RULES = """\
client: fjord
name: Fjord
numbers: "+4722334455"
timezone: Europe/Oslo
country: NO
language: nb
routes: [{name: main, do: [{ring: PJSIP/100}STEP]}]
"""
NOBODY = phrase("vi", "formal", Phrase.NOBODY)
NO_SUCH_KEY = phrase("vi", "formal", Phrase.NO_SUCH_KEY)


def rules(step: str = "") -> RuleSet:
    compiled = compile_rules({"fjord.yaml": RULES.replace("STEP", step)}, Dialling())
    assert isinstance(compiled, RuleSet), compiled
    return compiled


class Mute:
    """A voice that has lost itself."""

    name = "mute"

    def speak(self, text: str) -> bytes:
        raise SpeechError("no breath")


class Router:
    """What uses them."""

    def __init__(self, folder: Path) -> None:
        self.rules = rules()
        self.mute = {"bg"}
        self.prompts = Prompts(folder, "x", self.voice_of)
        self.languages = Languages(self.prompts, lambda: self.rules, lambda: NOW)

    def voice_of(self, language: str) -> Voice:
        return Mute() if language in self.mute else voice_of(language, {}, 150)

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not true():
                await asyncio.sleep(0.01)


@pytest.fixture
async def router(tmp_path: Path) -> AsyncIterator[Router]:
    made = Router(tmp_path)
    task = asyncio.create_task(made.languages.run())
    yield made
    task.cancel()


async def test_a_language_is_spoken_once_its_prompts_are_there(router: Router) -> None:
    languages = router.languages
    languages.look()
    languages.want(["vi-VN", "fr", ""])
    assert languages.spoken("vi") == ""
    await router.until(lambda: languages.spoken("vi"))
    assert router.prompts.missing([NOBODY]) == []
    spoken = [languages.spoken(one) for one in ("vi-VN", "fr", "en", "")]
    assert spoken == ["vi", "", "", ""]


async def test_other_rules_need_other_prompts(router: Router) -> None:
    languages = router.languages
    languages.want(["vi"])
    await router.until(lambda: languages.spoken("vi"))
    others = rules(", {menu: {choices: {1: []}}}")
    await asyncio.to_thread(languages.renew, others)
    assert router.prompts.missing([NO_SUCH_KEY]) == []
    for file in router.prompts.folder.glob("vi/*"):
        file.unlink()
    router.rules = others
    languages.look()
    await router.until(lambda: not router.prompts.missing([NOBODY, NO_SUCH_KEY]))
    router.mute.add("vi")
    await asyncio.to_thread(languages.renew, rules(", {menu: {choices: {2: []}}}, message"))
    assert languages.spoken("vi") == ""


async def test_a_language_that_cannot_be_spoken_is_told_and_tried_again(router: Router) -> None:
    with capture_logs() as told:
        router.languages.want(["bg"])
        await router.until(lambda: told)
        assert (told[-1]["language"], told[-1]["error"]) == ("bg", "no breath")
        assert router.languages.spoken("bg") == ""
    router.mute.clear()
    router.languages.want(["bg"])
    await router.until(lambda: router.languages.spoken("bg"))
