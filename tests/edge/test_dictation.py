"""A prompt is spoken at a phone of an Asterisk that does what real ones rarely do."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from router.edge import dictation
from router.edge.ari.link import AriSettings
from router.edge.dictation import DictationError, Script, dictate
from tests.edge.ari_server import AriServer, channel, event

SCRIPT = Script("sound:begin", "sound:unheard", "sound:decide", "sound:kept")


class OnePhone(AriServer):
    """It is picked up at once, and its keys are pressed while it is recorded. No recording ever ends."""

    keys = ""
    transferred = False
    """It asks to be, as soon as it hears something, and its end is told first."""
    recorded = 0

    async def serve(self, method: str, path: str, query: Mapping[str, str], body: Any) -> tuple[int, object]:
        where, _, what = path.rpartition("/")
        if method == "GET" and path in {"channels", "bridges", "recordings/stored"}:
            return 200, []
        if what == "create":
            self.phone = query["channelId"]
            await self.say(event("StasisStart", self.phone, args=[]))
        if what == "dial":
            await self.say(event("ChannelStateChange", self.phone))
        if what == "play" and self.transferred:
            await self.say(
                event("ChannelDestroyed", self.phone, cause=16, cause_txt="Normal Clearing"),
                event("StasisStart", "another", args=[], replace_channel=channel(self.phone)),
            )
        elif what == "play":
            playback = {"id": query["playbackId"], "media_uri": query["media"], "state": "done"}
            await self.say(event("PlaybackFinished", playback=playback | {"target_uri": where}))
        if what == "record":
            self.recorded += 1
            for key in self.keys:
                await self.say(event("ChannelDtmfReceived", self.phone, digit=key, duration_ms=100))
        return await super().serve(method, path, query, body)


@pytest.fixture
async def asterisk() -> AsyncIterator[OnePhone]:
    server = OnePhone()
    async with server:
        yield server


async def fails(asterisk: OnePhone, why: str) -> None:
    """Nothing is kept, for this reason."""
    settings = AriSettings(url=asterisk.url, username="router", password="secret", app="callrouter")
    kept, told = list[bytes](), list[str]()
    with pytest.raises(DictationError, match=why):
        await dictate(settings, "PJSIP/100", SCRIPT, kept.append, told.append)
    assert kept == []


def removed(asterisk: OnePhone) -> set[str]:
    return {path for method, path in asterisk.http_requests if method == "DELETE"}


ENDLESS = {
    "though it was told to end": ("9#", {"LATE": 0.1}, "Asterisk did not go on"),
    "though it is as long as may be": ("", {"LATE": 0.1, "LONGEST": 0}, "Asterisk did not go on"),
    "and the time for all is over": ("", {"ALL": 0.3}, "the 0.005 minutes that it may take are over"),
}


@pytest.mark.parametrize(("keys", "limits", "why"), ENDLESS.values(), ids=ENDLESS)
async def test_a_recording_does_not_end(
    asterisk: OnePhone,
    monkeypatch: pytest.MonkeyPatch,
    keys: str,
    limits: Mapping[str, float],
    why: str,
) -> None:
    for name, seconds in limits.items():
        monkeypatch.setattr(dictation, name, seconds)
    asterisk.keys = keys
    await fails(asterisk, why)
    assert asterisk.recorded == 1
    assert removed(asterisk) == {
        f"channels/{asterisk.phone}",
        f"bridges/{asterisk.phone}",
        f"recordings/live/{asterisk.phone}-r1",
        f"recordings/stored/{asterisk.phone}-r1",
    }


async def test_a_channel_that_comes_in_place_of_the_phone_is_hung_up(asterisk: OnePhone) -> None:
    asterisk.transferred = True
    await fails(asterisk, "put down")
    assert removed(asterisk) == {f"{kind}/{asterisk.phone}" for kind in ("channels", "bridges")} | {
        "channels/another"
    }
