"""What a vehicle's record tells an analysis. What is not stated there stays as it was."""

from __future__ import annotations

from dataclasses import replace

from dynoai_desktop.core.analysis.settings import AnalysisSettings
from dynoai_desktop.core.analysis.ve import Injector
from dynoai_desktop.core.store.vehicles import VehicleRecord


def injector_of(record: VehicleRecord) -> Injector | None:
    """Return the injectors of a vehicle, or None unless everything about them is stated.

    Flow, dead time, displacement and number of cylinders all enter absolute VE as factors, so a
    guess for one of them would make a figure that looks measured.

    >>> twin = VehicleRecord("Twin", displacement_cc=1868.0, cylinders=2, injector_g_per_s=5.5,
    ...                      injector_dead_ms=((14.0, 0.9),))
    >>> injector_of(twin).cylinder_l, injector_of(VehicleRecord("Twin"))
    (0.934, None)
    """
    if (
        record.injector_g_per_s is None
        or record.displacement_cc is None
        or record.cylinders is None
        or not record.injector_dead_ms
    ):
        return None
    return Injector(
        flow_g_per_s=record.injector_g_per_s,
        cylinder_l=record.displacement_cc / record.cylinders / 1000.0,
        stoich=record.stoich_afr,
        dead_time_ms=record.injector_dead_ms,
    )


def known_settings(record: VehicleRecord, settings: AnalysisSettings) -> AnalysisSettings:
    """Return *settings* with the redline and the injectors of the record, where it states them."""
    injector = injector_of(record)
    if record.redline_rpm is not None:
        settings = replace(settings, redline_rpm=record.redline_rpm)
    return settings if injector is None else replace(settings, injector=injector)
