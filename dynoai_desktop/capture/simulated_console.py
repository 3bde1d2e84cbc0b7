"""What a dyno lets a client drive over the wire: logging, load control, the drum brake.

Whoever works the load or the brake takes over from the programme the operator was driving, with
throttle and clutch as they are; the programme goes on when load and brake are off again. A wish
the dyno cannot or will not fulfil is answered with what it goes on doing.
"""

from __future__ import annotations

from collections.abc import Callable

from dynoai_desktop.capture.commands import (
    Brake,
    LoadControl,
    LoadTarget,
    Logging,
    LoggingRequest,
    RequestBrake,
    RequestLoadControl,
    RequestLogging,
    Switch,
)
from dynoai_desktop.capture.protocol import Message
from dynoai_desktop.core.simulator import absorber
from dynoai_desktop.core.simulator.absorber import NO_LOAD, TARGETS, LoadMode
from dynoai_desktop.core.simulator.commands import ByHand, Drive
from dynoai_desktop.core.simulator.dyno_operator import Controls, Hand
from dynoai_desktop.core.simulator.rig import Rig

_MODES = {
    LoadTarget.RPM: LoadMode.RPM,
    LoadTarget.SPEED: LoadMode.SPEED,
    LoadTarget.ACCELERATION: LoadMode.ACCELERATION,
    LoadTarget.BRAKE: LoadMode.BRAKE,
    LoadTarget.TORQUE: LoadMode.TORQUE,
}
_KINDS = {mode: kind for kind, mode in _MODES.items()}
_ON_THE_BRAKE = 0.5  # share of full force from which the drum brake counts as on


class Console:
    """The dyno's side of the messages that drive machinery."""

    def __init__(self, rig: Rig, programme: Drive | None = None) -> None:
        """Work on *rig*; *programme* goes on when the console lets go."""
        self._rig = rig
        self._programme = programme
        self._logging = Logging(False, 0)
        self._took_over = False

    def answer(self, message: Message, clock_ms: Callable[[], int]) -> Message | None:
        """Obey a message and return the answer, or None for one that is no business of ours.

        *clock_ms* gives the provider's clock.
        """
        match message:
            case RequestLogging(request):
                return self._log(request, clock_ms)
            case RequestLoadControl():
                return self._load(message)
            case RequestBrake(switch):
                return self._brake(switch)
        return None

    def _log(self, request: LoggingRequest, clock_ms: Callable[[], int]) -> Logging:
        running = request is LoggingRequest.START
        if request is not LoggingRequest.QUERY and running != self._logging.running:
            self._logging = Logging(running, clock_ms())
        return self._logging

    def _load(self, wish: RequestLoadControl) -> LoadControl:
        if self._rig.machine.setup.dyno.absorber_n <= 0.0:
            return LoadControl(Switch.NOT_EQUIPPED, wish.kind, 0.0)
        low, high = TARGETS[_MODES[wish.kind]]
        if wish.switch is Switch.ON and low <= wish.target <= high:
            self._work(ByHand(load=absorber.LoadControl(_MODES[wish.kind], wish.target)))
        elif wish.switch is Switch.OFF:
            self._let_go(ByHand(load=NO_LOAD))
        load = self._in_force.load
        if load.mode is LoadMode.OFF:
            return LoadControl(Switch.OFF, wish.kind, 0.0)
        return LoadControl(Switch.ON, _KINDS[load.mode], load.target)

    def _brake(self, switch: Switch) -> Brake:
        if self._rig.machine.setup.dyno.drum_brake_n <= 0.0:
            return Brake(Switch.NOT_EQUIPPED)
        if switch is Switch.ON:
            self._work(ByHand(drum_brake=1.0))
        elif switch is Switch.OFF:
            self._let_go(ByHand(drum_brake=0.0))
        return Brake(Switch.ON if self._in_force.drum_brake >= _ON_THE_BRAKE else Switch.OFF)

    @property
    def _in_force(self) -> Hand | Controls:
        operator = self._rig.operator
        return operator.hand if operator.programme is None else operator.controls

    def _work(self, wish: ByHand) -> None:
        """Do by hand what is wished; a programme that runs is taken over as it stands."""
        self._took_over |= self._rig.operator.programme is not None
        self._rig.command(wish)

    def _let_go(self, wish: ByHand) -> None:
        """Switch one thing off; with both off the programme goes on that was taken over."""
        operator = self._rig.operator
        if operator.programme is not None:
            return  # load and brake are the operator's, who knows what they are for
        self._rig.command(wish)
        idle = operator.hand.load.mode is LoadMode.OFF and operator.hand.drum_brake == 0.0
        if self._took_over and idle:
            self._took_over = False
            if self._programme is not None:
                self._rig.command(self._programme)
