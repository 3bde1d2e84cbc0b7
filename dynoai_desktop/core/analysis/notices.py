"""What the tuner should know about a result, each with a stable code and a sentence in words."""

from __future__ import annotations

from collections.abc import Sequence

from dynoai_desktop.core.analysis.closed_loop import held_unseen
from dynoai_desktop.core.analysis.evidence import Evidence
from dynoai_desktop.core.analysis.payload import Warning
from dynoai_desktop.core.analysis.readiness import Readiness
from dynoai_desktop.core.channels import CHANNELS


def find_warnings(
    evidence: Evidence, readiness: Readiness, notes: Sequence[str]
) -> tuple[Warning, ...]:
    """Return all warnings; *notes* say what was given with the log and could not be used."""
    out = [Warning(code, readiness.in_words(code)) for code in readiness.codes]
    out += [Warning("tune_partly_used", note) for note in notes]
    out += [Warning("channel_read_as", note) for note in evidence.normalised.notes]
    out += [
        Warning(
            f"unusable_channel:{channel.value}",
            f"{CHANNELS[channel].title} was logged but holds no value it could have; "
            "it was left out.",
        )
        for channel in evidence.normalised.unusable
    ]
    if not evidence.alignment.measured and evidence.fits:
        out.append(
            Warning(
                "delay_not_measured",
                "The log does not excite the mixture enough to measure the wideband delay; "
                "the usual one was used with a wide interval.",
            )
        )
    if held_unseen(evidence):
        out.append(
            Warning(
                "closed_loop_without_trims",
                "Cells commanded at lambda 1 are far nearer to right than the others, and no fuel "
                "trims were logged. If the ECU held them in closed loop, they say nothing about "
                "the table: log the short-term trims, or switch the closed loop off, and repeat.",
            )
        )
    if not evidence.track.baro_measured:
        out.append(
            Warning(
                "baro_assumed",
                "No barometer was logged; full load was judged against 101.3 kPa.",
            )
        )
    if evidence.frame.simulated:
        out.append(Warning("simulated", "SIMULATED: these data come from a simulation."))
    return tuple(out)
