"""Everything the user can ask of the program, as signals of the window."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMainWindow


class Wishes(QMainWindow):
    """A page reports a wish under the same name; the composition root connects them here."""

    interface_chosen = Signal(str)  # IPv4 address
    record_requested = Signal()
    stop_requested = Signal()
    replay_requested = Signal(Path)
    replay_speed_changed = Signal(float)  # 0: as fast as possible
    replay_paused = Signal(bool)
    replay_seeked = Signal(float)  # seconds from the start of the file
    live_requested = Signal()
    reset_map_requested = Signal()
    open_folder_requested = Signal(Path)
    preflight_requested = Signal()
    preflight_cancelled = Signal()
    override_requested = Signal(str, str)  # check id and reason; "" takes the override back
    mapping_chosen = Signal(object, object)  # Channel; Choice, or None for automatic
    mapping_save_requested = Signal()
    mapping_export_requested = Signal(Path)
    mapping_import_requested = Signal(Path)
    mapping_template_requested = Signal(str)  # key of a TemplateRow
    providers_pinned = Signal(object)  # tuple of provider names; empty: all
    simulator_page_opened = Signal()
    simulator_start_requested = Signal(object)  # SimulatorPlan
    simulator_stop_requested = Signal()
    simulator_ordered = Signal(object)  # Order
    analyse_requested = Signal(Path)  # a session folder, a recording or a log
    analysis_cancelled = Signal()
    tune_chosen = Signal(Path)
    tune_preview_requested = Signal(object)  # Terms
    tune_apply_requested = Signal(Path, object)  # copy to write, Terms previewed
    tune_undo_requested = Signal()
    tuning_page_opened = Signal()
    tuning_start_requested = Signal(object)  # TuningWish
    tuning_stop_requested = Signal(str)  # id of the session
    tuning_purge_requested = Signal()
    targets_changed = Signal(object)  # CellGrid of lambda
    targets_import_requested = Signal(Path)  # a tune file
    limits_changed = Signal(object)  # LiveSettings
    alert_acknowledged = Signal(object)  # number of an Alert
    analysis_enabled = Signal(bool)  # live analysis; the recording goes on either way
    vehicle_chosen = Signal(str)  # name
    vehicle_saved = Signal(object, str)  # VehicleRecord; name of the one it replaces, "" for new
    plan_said = Signal(object)  # StepWish
    plan_step_chosen = Signal(str)  # key of the step that is on the card
    plan_take_back_requested = Signal()  # the last thing said
    plan_requested = Signal()  # again, after it could not be made
    plan_export_requested = Signal()
    plan_reset_requested = Signal()  # forget what was learned of the vehicle
    plan_restore_requested = Signal()
    plan_limits_changed = Signal(object)  # PlanningLimits
    plan_limits_reset_requested = Signal()
    settings_changed = Signal(object)  # Preferences
