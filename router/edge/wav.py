"""Recordings as Asterisk writes them: RIFF WAVE, 8 kHz, one channel, 16 bits."""

import io
import wave


def seconds_of(wav: bytes) -> float:
    """How long a recording lasts; 0 for what is none."""
    try:
        with wave.open(io.BytesIO(wav)) as file:
            return float(file.getnframes() / file.getframerate())
    except (wave.Error, EOFError):
        return 0.0
