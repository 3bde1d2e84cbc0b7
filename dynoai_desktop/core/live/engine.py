"""The live engine: aggregates in, one frozen snapshot out.

Pure and deterministic: it knows no clock, so the same aggregates give the same snapshot live, in
replay at any speed and offline. It only composes: what is known now (moment), where the engine was
(path), what may speak (gates), where it belongs (credit, cells, delay), what must be told (alerts),
what was driven (runs). What depends on a missing channel is off and says why; the rest works.
"""

from __future__ import annotations

import math
from collections import deque
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from dynoai_desktop.core.axis import Axis, CellGrid, default_map_axis, default_rpm_axis
from dynoai_desktop.core.channels import CHANNELS, Channel, Cylinder
from dynoai_desktop.core.live.alert_rules import Watch, unwatched
from dynoai_desktop.core.live.alerts import Alert, AlertBoard
from dynoai_desktop.core.live.credit import GROUPS, Credited, Credits, Waiting, present_share
from dynoai_desktop.core.live.gates import Gatekeeper, Sensor
from dynoai_desktop.core.live.history import HistoryRing, Trail
from dynoai_desktop.core.live.limits import LiveSettings
from dynoai_desktop.core.live.moment import Moment
from dynoai_desktop.core.live.quality import planned_cells, quality
from dynoai_desktop.core.live.runs import Progress, Run, RunTracker, power_fall
from dynoai_desktop.core.live.snapshot import CellMap, Mixture, Reading, Snapshot
from dynoai_desktop.core.live.targets import preset_targets, require_targets
from dynoai_desktop.core.samples import WINDOWS_PER_S, Aggregate
