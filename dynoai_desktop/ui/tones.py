"""Short tones as sound: 16-bit mono samples, made where they are needed."""

from __future__ import annotations

import numpy as np

RATE_HZ = 44_100
_VOLUME = 0.35
_EDGE_S = 0.008  # a tone that starts at full swing clicks
_MIDDLE_HZ = 440.0
_OCTAVE_AT = 0.12  # error, as a share of the target, that makes a tone rise or fall an octave


def tone(start_hz: float, end_hz: float, seconds: float) -> bytes:
    """Return a tone that glides evenly, in pitch, from *start_hz* to *end_hz*.

    >>> len(tone(440.0, 440.0, 0.1)) == 2 * round(0.1 * RATE_HZ)
    True
    """
    count = round(seconds * RATE_HZ)
    share = np.arange(count) / max(count, 1)
    pitch = start_hz * (end_hz / start_hz) ** share
    phase = 2.0 * np.pi * np.cumsum(pitch) / RATE_HZ
    edge = max(round(_EDGE_S * RATE_HZ), 1)
    ramp = np.minimum(np.arange(count) / edge, 1.0)
    samples = _VOLUME * np.sin(phase) * np.minimum(ramp, ramp[::-1])
    return np.rint(samples * 32767).astype("<i2").tobytes()


def pause(seconds: float) -> bytes:
    """Return silence."""
    return bytes(2 * round(seconds * RATE_HZ))


def error_glide(error: float) -> tuple[float, float]:
    """Return where the tone of an error starts and ends, in Hz: lean rises, rich falls.

    >>> error_glide(0.12), error_glide(-0.30)
    ((440.0, 880.0), (440.0, 220.0))
    """
    octaves = min(max(error / _OCTAVE_AT, -1.0), 1.0)
    return _MIDDLE_HZ, _MIDDLE_HZ * 2.0**octaves


def error_tone(error: float) -> bytes:
    """Return the tone of an error, a share of the target."""
    return tone(*error_glide(error), 0.18)


def alarm() -> bytes:
    """Return three pairs of high tones: danger."""
    return (tone(988.0, 988.0, 0.12) + tone(740.0, 740.0, 0.12)) * 3


def warning() -> bytes:
    """Return two tones."""
    return tone(587.0, 587.0, 0.14) + pause(0.06) + tone(587.0, 587.0, 0.14)


def call_out() -> bytes:
    """Return one short low tone."""
    return tone(392.0, 392.0, 0.1)
