"""What is stated about a simulated vehicle: its profile as a vehicle record."""

from __future__ import annotations

from dynoai_desktop.core.simulator.profile import Profile
from dynoai_desktop.core.store.vehicles import LONGEST_NAME, MOST_GEARS, SIMULATED, VehicleRecord


def record_of_profile(profile: Profile) -> VehicleRecord:
    """Return the record of the vehicle that *profile* simulates, marked as simulated.

    >>> from dynoai_desktop.core.simulator.profiles import PROFILES
    >>> record = record_of_profile(PROFILES["m8-114"])
    >>> record.name, record.slug, record.simulated, record.redline_rpm
    ('Simulated V-twin 114, four-valve', 'simulated-v-twin-114-four-valve', True, 5800.0)
    """
    # A profile of the user's own may have a title of any kind.
    title = " ".join("".join(c if c.isprintable() else " " for c in profile.title).split())
    return VehicleRecord(
        name=f"{SIMULATED} {title or profile.name}"[:LONGEST_NAME].rstrip(),
        simulated=True,
        fuel=profile.fuel,
        idle_rpm=profile.idle_rpm,
        redline_rpm=profile.redline_rpm,
        displacement_cc=profile.displacement_cc,
        cylinders=int(profile.cylinders),
        boost_kpa=profile.boost_kpa,
        gear_ratios=profile.gear_ratios[:MOST_GEARS],
        dyno_gear=int(profile.dyno_gear),
        tyre_circumference_m=profile.tyre_circumference_m,
    )
