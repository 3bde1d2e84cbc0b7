"""Which vehicle is worked on: the one the tuner chose, or the one the readings come from.

Three things can put another vehicle in force for a while: the simulated dyno, a replay of another
vehicle's session, and a provider on the bus that says it is simulated. The tuner's choice is kept
and comes back when they are left, so that nothing of a rehearsal reaches a real vehicle's folder.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSettings, Signal

from dynoai_desktop.core.store.json_store import StoreError
from dynoai_desktop.core.store.sessions import summarise
from dynoai_desktop.core.store.vehicle_folders import (
    is_rehearsal,
    list_vehicles,
    load_vehicle,
    save_vehicle,
    vehicles_folder,
)
from dynoai_desktop.core.store.vehicles import (
    NO_VEHICLE,
    SIMULATED,
    VehicleError,
    VehicleRecord,
    vehicle_slug,
)
from dynoai_desktop.ui.messages import Severity, VehiclesState

if TYPE_CHECKING:
    from dynoai_desktop.ui.main_window import MainWindow
    from dynoai_desktop.ui.rehearsal import SimulatorPlan

log = logging.getLogger(__name__)

_CHOSEN = "vehicle/chosen"
_SOME_SIMULATED = f"{SIMULATED} vehicle"  # for simulated readings of which no more is known
_RECORDING = "A session is being recorded. Stop it before the vehicle is changed."


class VehicleDesk(QObject):
    """Lives on the GUI thread, beside the station."""

    changed = Signal(object, object)  # folder of the vehicle in force, its VehicleRecord

    def __init__(
        self, window: MainWindow, data_dir: Path, settings: QSettings, vehicle: str = ""
    ) -> None:
        """Connect the window's wishes. *vehicle* is chosen, "" for the one chosen last."""
        super().__init__()
        self._window, self._settings = window, settings
        self._vehicles = vehicles_folder(data_dir)
        self._guest: VehicleRecord | None = None
        self._state = VehiclesState()
        notes = self._read_list()
        self._chosen = self._begin_with(vehicle or self._remembered(), notes)
        if vehicle:
            self._settings.setValue(_CHOSEN, self._chosen.name)
        window.vehicle_chosen.connect(self.choose)
        window.vehicle_saved.connect(self.save)
        self._told: VehicleRecord | None = None
        self._tell()

    @property
    def record(self) -> VehicleRecord:
        """Return the vehicle in force."""
        return self._chosen if self._guest is None else self._guest

    @property
    def folder(self) -> Path:
        """Return the folder of the vehicle in force."""
        return self._vehicles / self.record.slug

    def choose(self, name: str) -> None:
        """Work on the vehicle with this name from now on."""
        record = next((row for row in self._state.rows if row.name == name), None)
        if record is None:
            return
        if self._window.state.recording.active:
            self._say(_RECORDING)
            return
        self._choose(record)
        self._tell(self._until_left() or f"{record.name} is in use.")

    def save(self, record: VehicleRecord, replaces: str) -> None:
        """Keep a record in place of the one called *replaces*; a new one ("") is chosen, too."""
        if self._window.state.recording.active:
            self._say(_RECORDING)
            return
        try:
            save_vehicle(self._vehicles, record, replaces)
        except VehicleError as error:
            self._say(error.reason, error.field)
            return
        except StoreError as error:
            self._say(str(error))
            return
        self._read_list()
        if not replaces or replaces == self._chosen.name:
            self._choose(record)
        if self._guest is not None and replaces == self._guest.name:
            self._guest = record
        said = f"{record.name} is saved."
        self._tell(f"{said} {self._until_left()}".strip(), saved=self._state.saved + 1)

    def set_guest(self, guest: VehicleRecord | None) -> None:
        """Put another vehicle in force for a while; None returns to the tuner's own."""
        if guest is not None and guest.simulated:
            self._keep_rehearsed(guest)
        if guest is not None and guest.slug == self._chosen.slug:
            guest = None
        self._guest = guest
        self._tell()

    def rehearsed(self, plan: SimulatorPlan) -> VehicleRecord:
        """Return the vehicle that the simulated dyno is by *plan*."""
        from dynoai_desktop.capture.simulator_files import profile_of
        from dynoai_desktop.core.simulator.vehicle import record_of_profile

        chosen = plan.profile if plan.profile_file is None else str(plan.profile_file)
        try:
            return record_of_profile(profile_of(chosen))
        except ValueError as error:  # the simulated dyno is about to say so itself
            log.info("The simulated vehicle is not known: %s", error)
            return self._some_simulated()

    def note_simulated(self) -> None:
        """Take in that the readings are simulated, whoever sends them."""
        if not self.record.simulated and not self._window.state.recording.active:
            self.set_guest(self._some_simulated())

    def recorded(self, recording: Path, simulated: bool) -> VehicleRecord | None:
        """Return whose a recording is, None when it can be the chosen vehicle's."""
        folder = recording if recording.is_dir() else recording.parent
        told = (folder / "session.json").is_file()
        name = summarise(folder).vehicle if told else ""
        record = self._known(name)
        if not simulated or (record is not None and record.simulated):
            return record
        return self._named_simulated(name)

    def _some_simulated(self) -> VehicleRecord:
        return VehicleRecord(_SOME_SIMULATED, simulated=True, fuel=self._window.preferences.fuel)

    def _named_simulated(self, name: str) -> VehicleRecord:
        some = self._some_simulated()
        try:
            return replace(some, name=name) if is_rehearsal(name) else some
        except VehicleError:
            return some

    def _known(self, name: str) -> VehicleRecord | None:
        """Return the record kept under a name, None without one."""
        if not name:
            return None
        try:
            record, notes = load_vehicle(self._vehicles / vehicle_slug(name))
        except StoreError as error:
            self._window.show_notice(str(error), Severity.ATTENTION)
            return None
        for note in notes:
            self._window.show_notice(note, Severity.ATTENTION)
        return record

    def _keep_rehearsed(self, guest: VehicleRecord) -> None:
        """Leave a record in the simulated vehicle's folder, for the commands that plan by it."""
        if self._known(guest.name) == guest:
            return
        try:
            save_vehicle(self._vehicles, guest)
        except (VehicleError, StoreError) as error:
            log.warning("The simulated vehicle's record is not kept: %s", error)

    # The list and the choice

    def _read_list(self) -> tuple[str, ...]:
        try:
            found = list_vehicles(self._vehicles)
        except StoreError as error:
            self._window.show_notice(str(error), Severity.DANGER)
            return ()
        if found.notes:
            self._window.show_notice(" ".join(found.notes), Severity.ATTENTION)
        rows = tuple(record for record in found.records if not record.simulated)
        self._state = replace(self._state, rows=rows)
        return found.notes

    def _remembered(self) -> str:
        name = self._settings.value(_CHOSEN)
        return name if isinstance(name, str) else ""

    def _begin_with(self, name: str, notes: tuple[str, ...]) -> VehicleRecord:
        slug = vehicle_slug(name)
        known = next((row for row in self._state.rows if row.slug == slug), None)
        if known is not None or not notes or not (self._vehicles / slug).is_dir():
            return known or NO_VEHICLE
        # Its record was set aside; mapping, targets and tune history are still its own.
        try:
            return VehicleRecord(name)
        except VehicleError:
            return NO_VEHICLE

    def _choose(self, record: VehicleRecord) -> None:
        self._chosen = record
        if self._guest is not None and self._guest.slug == record.slug:
            self._guest = None
        self._settings.setValue(_CHOSEN, record.name)

    def _until_left(self) -> str:
        if self._guest is None:
            return ""
        return f"{self._chosen.name} is in force again when {self._guest.name} is left."

    def _say(self, message: str, field: str = "") -> None:
        self._state = replace(self._state, message=message, field=field, failed=True)
        self._window.set_vehicles(self._state)
        if not field:
            self._window.show_notice(message, Severity.ATTENTION)

    def _tell(self, message: str = "", saved: int | None = None) -> None:
        """Show what is in force; tell the desks when it is another vehicle or another record."""
        record = self.record
        self._state = replace(
            self._state,
            record=record,
            chosen=self._chosen.name,
            message=message,
            field="",
            failed=False,
            saved=self._state.saved if saved is None else saved,
        )
        self._window.set_vehicles(self._state)
        if record != self._told:
            self._told = record
            self.changed.emit(self.folder, record)
