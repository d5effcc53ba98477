"""Recordings as Asterisk writes them: RIFF WAVE, 8 kHz, one channel, 16 bits."""

import io
import sys
import wave
from array import array

QUIET = 256
"""What a sample is on average, at most, where nobody speaks; Asterisk's own measure (dsp.conf)."""
FRAME = 160
"""Samples that are looked at together: 20 ms of 8 kHz."""


def seconds_of(wav: bytes) -> float:
    """How long a recording lasts; 0 for what is none."""
    try:
        with wave.open(io.BytesIO(wav)) as file:
            return float(file.getnframes() / file.getframerate())
    except (wave.Error, EOFError):
        return 0.0


def seconds_spoken(wav: bytes) -> float:
    """How long somebody is heard in a recording, pauses between words left out; 0 for what is none."""
    try:
        with wave.open(io.BytesIO(wav)) as file:
            samples = array("h", file.readframes(file.getnframes()))
            rate = file.getframerate()
    except (wave.Error, EOFError, ValueError):
        return 0.0
    if sys.byteorder == "big":
        samples.byteswap()
    frames = (samples[at : at + FRAME] for at in range(0, len(samples), FRAME))
    spoken = [frame for frame in frames if sum(map(abs, frame)) > QUIET * len(frame)]
    return float(len(spoken) * FRAME / rate)
