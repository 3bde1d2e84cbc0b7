"""The simulated dyno between the window and the process that publishes it.

The process is a program of its own, so that a demo shares nothing with the capture but the
network. It obeys lines on its standard input and reports on its standard output.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QProcess

from dynoai_desktop.capture.interfaces import LOOPBACK
from dynoai_desktop.desks.own_program import own_command
from dynoai_desktop.ui.messages import Severity
from dynoai_desktop.ui.rehearsal import RehearsalState, Running, SimulatorPlan

if TYPE_CHECKING:
    from dynoai_desktop.capture.simulator_control import Lines
    from dynoai_desktop.core.simulator.orders import Order, Report
    from dynoai_desktop.ui.main_window import MainWindow

log = logging.getLogger(__name__)

_GOOD_BYE_MS = 3000


def simulator_command(plan: SimulatorPlan) -> list[str]:
    """Return the command line that starts the simulated dyno as a process of its own."""
    options = {
        "--profile": plan.profile if plan.profile_file is None else str(plan.profile_file),
        "--scenario": plan.scenario if plan.scenario_file is None else str(plan.scenario_file),
        "--seed": str(plan.seed),
        "--altitude": f"{plan.altitude_m:g}",
        "--temperature": f"{plan.temperature_c:g}",
        "--humidity": f"{plan.humidity_pct:g}",
    }
    said = [f"{name}={value}" for name, value in options.items()]
    return own_command("simulate", "--iface", LOOPBACK, "--control", *said)


class RehearsalDesk(QObject):
    """Lives on the GUI thread, beside the station."""

    def __init__(
        self, window: MainWindow, listen: Callable[[str], None], leave: Callable[[], None]
    ) -> None:
        """Connect the window's wishes.

        *listen* captures from an interface, *leave* ends that when the dyno has gone.
        """
        super().__init__()
        self._window, self._listen, self._leave = window, listen, leave
        self._process: QProcess | None = None
        self._lines: Lines | None = None
        self._next: SimulatorPlan | None = None  # to start when the present one has gone
        self._last_words = ""
        self._state = RehearsalState()
        window.simulator_page_opened.connect(self.offer_choices)
        window.simulator_start_requested.connect(self.start)
        window.simulator_stop_requested.connect(self.stop)
        window.simulator_ordered.connect(self.order)

    @property
    def state(self) -> RehearsalState:
        """Return how the simulated dyno is doing."""
        return self._state

    def offer_choices(self) -> None:
        """Tell the page what there is. Reads the simulator's tables, so only when it is opened."""
        if not self._state.vehicles:
            from dynoai_desktop.desks import rehearsal_words as words

            self._show(
                replace(
                    self._state,
                    vehicles=words.vehicles(),
                    scenarios=words.scenarios(),
                    faults=words.faults(),
                )
            )

    def start(self, plan: SimulatorPlan | None = None) -> None:
        """Start a simulated dyno and listen to it; one that runs makes room first."""
        plan = plan or SimulatorPlan()
        if self._window.state.recording.active:
            self._window.show_notice(
                "A session is being recorded. Stop it before the simulated dyno starts.",
                Severity.ATTENTION,
            )
        elif self._process is not None:
            self._next = plan
            self._say_good_bye()
        else:
            self._start(plan)

    def stop(self) -> None:
        """Stop the simulated dyno."""
        self._next = None
        self._say_good_bye()

    def order(self, order: Order) -> None:
        """Have the simulated dyno do something."""
        if self._process is not None and self._state.running is Running.ON:
            from dynoai_desktop.capture.simulator_control import encode_order

            self._process.write(encode_order(order))

    def close(self) -> None:
        """End the process, at the latest by force."""
        process, self._process = self._process, None
        if process is not None:
            for signal in (
                process.readyReadStandardOutput,
                process.readyReadStandardError,
                process.errorOccurred,
                process.finished,
            ):
                signal.disconnect()
            process.closeWriteChannel()
            if not process.waitForFinished(_GOOD_BYE_MS):
                process.kill()
                process.waitForFinished(1000)
            process.deleteLater()

    def _start(self, plan: SimulatorPlan) -> None:
        from dynoai_desktop.capture.simulator_control import Lines

        process = QProcess(self)
        process.readyReadStandardOutput.connect(self._read_reports)
        process.readyReadStandardError.connect(self._read_words)
        process.errorOccurred.connect(self._fail)
        process.finished.connect(self._end)
        self._process, self._lines, self._last_words = process, Lines(), ""
        self._show(
            replace(self._state, running=Running.STARTING, plan=plan, report=None, message="")
        )
        program, *arguments = simulator_command(plan)
        process.start(program, arguments)
        self._listen(LOOPBACK)

    def _say_good_bye(self) -> None:
        if self._process is not None:
            self._show(replace(self._state, running=Running.STOPPING))
            self._process.closeWriteChannel()

    # What the process says

    def _read_reports(self) -> None:
        from dynoai_desktop.capture.simulator_control import ControlError, parse_report

        if self._process is None or self._lines is None:
            return
        report: Report | None = None
        for line in self._lines.feed(bytes(self._process.readAllStandardOutput().data())):
            try:
                report = parse_report(line)
            except ControlError as error:
                log.warning("The simulated dyno said something odd: %s", error)
        if report is not None and self._state.running is not Running.STOPPING:
            self._show(replace(self._state, running=Running.ON, report=report))

    def _read_words(self) -> None:
        if self._process is None:
            return
        words = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
        for line in filter(None, map(str.strip, words.splitlines())):
            self._last_words = line
            log.info("Simulated dyno: %s", line)

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart and self._process is not None:
            self._last_words = self._process.errorString()
            self._end(1)

    def _end(self, exit_code: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        self._process = process
        self._read_words()
        self._process = None
        process.deleteLater()
        expected = self._state.running is Running.STOPPING
        plan, self._next = self._next, None
        if plan is not None:
            self._start(plan)
            return
        message = "" if expected else _died(self._last_words, exit_code)
        self._show(replace(self._state, running=Running.OFF, report=None, message=message))
        if message:
            self._window.show_notice(message, Severity.DANGER)
        self._leave()

    def _show(self, state: RehearsalState) -> None:
        self._state = state
        self._window.set_rehearsal(state)


def _died(last_words: str, exit_code: int) -> str:
    """Return why the process has gone; it says so itself when it can.

    >>> _died("dynoai-desktop: Cannot simulate: idle_rpm: 0 is not between 400 and 3000.", 2)
    'The simulated dyno stopped. Cannot simulate: idle_rpm: 0 is not between 400 and 3000.'
    """
    words = last_words.removeprefix("dynoai-desktop: ")
    reason = words if words and words != "publishing" else f"Its process ended with {exit_code}."
    return f"The simulated dyno stopped. {reason}"
