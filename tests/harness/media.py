"""What is heard in a call, and the keys that are pressed in it: RTP on a port of loopback (RFC 3550, 4733).

SIPp speaks SIP and offers the port; the sound goes by here. Asterisk sends 20 ms in each packet, so a
prompt that is played from its beginning comes as the frames of its file.
"""

import itertools
import math
import secrets
import socket
import struct
import threading
import time
import wave
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

FRAME = 160
"""Samples of 20 ms at 8 kHz."""

HALF = 25 * FRAME
"""Half a second."""

_SILENCE = bytes([0xFF]) * FRAME

PCMU, EVENT = 0, 101
"""Payload types, as the SDP has them."""

_KEYS = "0123456789*#"
_HUM = 3000
"""How loud a hum is, in linear samples."""
_QUIET = 200
"""Linear samples below this are silence."""


def _linear(code: int) -> int:
    """A sample of 16 bits from mu-law (G.711)."""
    code = ~code & 0xFF
    value = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return -value if code & 0x80 else value


_LINEAR = [_linear(code) for code in range(256)]
_CODES = sorted(range(256), key=_LINEAR.__getitem__)
_LEVELS = [_LINEAR[code] for code in _CODES]


def _mu_law(sample: int) -> int:
    """The code of the level next above a sample, or of the highest."""
    return _CODES[min(bisect_left(_LEVELS, sample), len(_CODES) - 1)]


class Media:
    """One party's ear and keypad."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.port: int = self._socket.getsockname()[1]
        self.frames: list[tuple[float, bytes]] = []
        """When each packet of sound came, and its mu-law."""
        self._far_end: tuple[str, int] | None = None
        self._source = secrets.randbits(32)
        self._number = 0
        self._open = True
        self._sending = threading.Lock()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while self._open:
            try:
                packet, self._far_end = self._socket.recvfrom(2048)
            except TimeoutError:
                continue
            if len(packet) > 12 and packet[1] & 0x7F == PCMU:
                self.frames.append((time.monotonic(), packet[12:]))

    def close(self) -> None:
        """Hear and say nothing any more."""
        self._open = False
        self._thread.join()
        self._socket.close()

    def forget(self) -> None:
        """What was heard so far does not count any more."""
        self.frames = []

    def hum(self, hertz: int) -> None:
        """From now on, and besides pressing keys, sound like this: a tone, by which a party is known however
        many others are heard with it."""
        threading.Thread(target=self._hum, args=(hertz,), daemon=True).start()

    def _hum(self, hertz: int) -> None:
        turns = (2 * math.pi * hertz * at / 8000 for at in range(8000))
        second = bytes(_mu_law(round(_HUM * math.sin(turn))) for turn in turns)
        next_at = time.monotonic()
        for at in itertools.cycle(range(0, len(second), FRAME)):
            if not self._open:
                return
            if self._far_end is not None:
                with self._sending, suppress(OSError):  # the call may end at any moment
                    self._send(PCMU, self._number * FRAME, second[at : at + FRAME], marker=False)
            next_at += 0.02
            time.sleep(max(0.0, next_at - time.monotonic()))

    def hears(self, hertz: int) -> bool:
        """Whether somebody who hums so was heard in the last third of a second (Goertzel's filter)."""
        heard = b"".join(frame for at, frame in self.frames[-20:] if at > time.monotonic() - 0.35)
        if len(heard) < 8 * FRAME:
            return False
        before = earlier = 0.0
        factor = 2 * math.cos(2 * math.pi * hertz / 8000)
        for code in heard:
            before, earlier = _LINEAR[code] + factor * before - earlier, before
        power = before**2 + earlier**2 - factor * before * earlier
        return 2 * math.sqrt(power) / len(heard) > _HUM / 4

    def press(self, keys: str, within: float = 10.0) -> None:
        """Press keys, one after the other, each for 100 ms; the call must be heard by then."""
        self._meet(within)
        for key in keys:
            self._press(key)
            time.sleep(0.1)

    def _meet(self, within: float) -> None:
        until = time.monotonic() + within
        while self._far_end is None:
            assert time.monotonic() < until, "there is no sound in the call, and nowhere to send any"
            time.sleep(0.01)

    def speak(self, wav: Path, seconds: float, within: float = 10.0) -> None:
        """Speak so many seconds of a file, over and over if need be; the call must be heard by then."""
        said = samples(wav)
        starts = (frame * FRAME % (len(said) - FRAME) for frame in range(round(seconds * 50)))
        self._say([bytes(map(_mu_law, said[at : at + FRAME])) for at in starts], within)

    def keep_silent(self, seconds: float, within: float = 10.0) -> None:
        """Send silence for so long; the call must be heard by then."""
        self._say([_SILENCE] * round(seconds * 50), within)

    def _say(self, frames: Sequence[bytes], within: float) -> None:
        self._meet(within)
        began = time.monotonic()
        for number, frame in enumerate(frames, start=1):
            self._send(PCMU, self._number * FRAME, frame, marker=number == 1)
            time.sleep(max(0.0, began + number * 0.02 - time.monotonic()))

    def _press(self, key: str) -> None:
        with self._sending:
            event, began = _KEYS.index(key), self._number * FRAME
            for step in range(1, 9):
                ended = step > 5  # the end is told three times, in case one is lost
                duration = min(step, 5) * FRAME
                payload = struct.pack("!BBH", event, (0x80 if ended else 0) | 10, duration)
                self._send(EVENT, began, payload, marker=step == 1)
                time.sleep(0.02)

    def _send(self, kind: int, stamp: int, payload: bytes, *, marker: bool) -> None:
        assert self._far_end is not None
        self._number += 1
        kind |= 0x80 if marker else 0
        header = struct.pack("!BBHII", 0x80, kind, self._number & 0xFFFF, stamp & 0xFFFFFFFF, self._source)
        self._socket.sendto(header + payload, self._far_end)

    def wait_for(self, wav: Path, within: float = 15.0) -> float:
        """When a prompt began to be heard, once one of its first three half seconds has been: a packet of the
        others may be lost. The file is of 8 kHz."""
        said = samples(wav)
        until = time.monotonic() + within
        while (began := self._began(said)) is None:
            assert time.monotonic() < until, f"{wav} is not heard"
            time.sleep(0.02)
        return began

    def _began(self, said: Sequence[int]) -> float | None:
        for half in range(3):
            part = said[half * HALF : (half + 1) * HALF]
            # A later one must be there as a whole, and be no silence, which says nothing.
            if half == 0 or (len(part) == HALF and sum(abs(sample) > _QUIET for sample in part) > HALF // 4):
                found = self._find(part)
                if found is not None:
                    return found - half * 0.5
        return None

    def wait_for_speech(self, wav: Path, within: float = 15.0, since: int | None = None) -> None:
        """Wait until somebody is heard saying what is in a file, at least half as long: it went through a
        recording, or another codec, meanwhile, so frames are others. Those before `since` do not count,
        which is now unless it is given."""
        said = samples(wav)
        wanted = sum(max(map(abs, said[at : at + FRAME])) > _QUIET for at in range(0, len(said), FRAME))
        since, until = len(self.frames) if since is None else since, time.monotonic() + within
        while sum(_loud(frame) for _, frame in self.frames[since:]) < wanted // 2:
            assert time.monotonic() < until, "nobody is heard"
            time.sleep(0.02)

    def heard(self, wav: Path) -> bool:
        """Whether all of a prompt was heard. Asterisk may swallow the last frame of a file (22.10.1)."""
        return self._find(samples(wav)[: -2 * FRAME]) is not None

    def _find(self, wanted: Sequence[int]) -> float | None:
        frames = [wanted[at : at + FRAME] for at in range(0, len(wanted) - FRAME + 1, FRAME)]
        heard = list(self.frames)
        for start in range(len(heard) - len(frames) + 1):
            window = zip(heard[start:], frames, strict=False)
            if all(_alike(got, frame) for (_, got), frame in window):
                return heard[start][0]
        return None

    def longest_silence(self, since: float, until: float) -> float:
        """Seconds, between two moments of the monotonic clock."""
        sounds = [at for at, frame in list(self.frames) if since <= at <= until and _loud(frame)]
        moments = [since, *sounds, until]
        return max(later - before for before, later in pairwise(moments))


def samples(wav: Path) -> list[int]:
    """The samples of a file."""
    with wave.open(str(wav)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2), wav
        return list(struct.unpack(f"<{file.getnframes()}h", file.readframes(file.getnframes())))


def _alike(heard: bytes, wanted: Sequence[int]) -> bool:
    """Whether a frame is what was wanted, but for the loss of mu-law."""
    wrong = sum((_LINEAR[code] - sample) ** 2 for code, sample in zip(heard, wanted, strict=False))
    return len(heard) == len(wanted) and wrong <= 0.01 * sum(sample**2 for sample in wanted) + 16_000


def _loud(frame: bytes) -> bool:
    return max(abs(_LINEAR[code]) for code in frame) > _QUIET
