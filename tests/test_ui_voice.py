"""The voice: what is said when, that danger goes before everything, and where there is no voice."""

from __future__ import annotations

import doctest
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QObject, Qt, Signal

from dynoai_desktop.core.analysis.runs import RunKind
from dynoai_desktop.core.channels import Channel, Cylinder
from dynoai_desktop.core.live.alert_rules import Severity
from dynoai_desktop.core.live.alerts import Alert
from dynoai_desktop.core.live.runs import Peak, Run
from dynoai_desktop.core.live.snapshot import Mixture, Snapshot
from dynoai_desktop.core.units import Display, MixtureScale, UnitSystem
from dynoai_desktop.ui import tones, voice_ways
from dynoai_desktop.ui.main_window import MainWindow
from dynoai_desktop.ui.preferences import VoiceMode
from dynoai_desktop.ui.voice import (
    DANGER_AGAIN_S,
    LONGEST_S,
    TONE_EVERY_S,
    Announcer,
    Priority,
    Utterance,
)
from dynoai_desktop.ui.voice_desk import VoiceDesk
from dynoai_desktop.ui.voice_output import SpeechOutput, ToneOutput, VoiceOutput
from dynoai_desktop.ui.voice_ways import make_output
from tests import ui_world

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

NOW_S = ui_world.NOW_S


def lean(number: int = 1, channel: Channel = Channel.LAMBDA_FRONT, **fields) -> Alert:
    """A dangerous mixture on one cylinder."""
    alert = Alert(
        number,
        "lean_under_load",
        Severity.CRITICAL,
        channel,
        "Lean under load",
        "Lambda 1.02 (15.0 AFR) at 97 kPa. Close the throttle.",
        NOW_S,
    )
    return replace(alert, **fields)


def knock(number: int = 7) -> Alert:
    """Knock, as dangerous."""
    message = "4.0° of knock retard. Close the throttle; check fuel and spark."
    return lean(number, Channel.KNOCK, key="knock", title="Knock", message=message)


def hot(number: int = 5) -> Alert:
    """A warning that can wait."""
    return lean(
        number,
        Channel.IAT,
        key="intake_hot",
        severity=Severity.WARNING,
        title="Intake air hot",
        message="Intake air is 60 °C. Let it cool before the next pull.",
    )


def pull(number: int = 3, finished: bool = False) -> Run:
    """A pull, going on or over."""
    power = Peak(70.2, 5310.0)
    return Run(number, RunKind.PULL, NOW_S, NOW_S + 6, finished, 2000, 5800, power, new_cells=4)


def shot(*alerts: Alert, **fields) -> Snapshot:
    """A snapshot with these alerts."""
    return replace(ui_world.readings({}), alerts=alerts, **fields)


@pytest.fixture
def announcer() -> Announcer:
    following = Announcer(Display())
    assert following.hear(shot(), 0.0) is None
    return following


def test_nothing_to_tell_is_silence(announcer):
    assert announcer.hear(shot(), 1.0) is None
    assert announcer.speaking is None


def test_a_danger_says_what_and_where_and_what_to_do(announcer):
    said = announcer.hear(shot(lean()), 1.0)
    assert said is not None
    assert said.text == "Lean under load, front. Close the throttle."
    assert said.priority is Priority.DANGER


def test_both_cylinders_are_one_message(announcer):
    said = announcer.hear(shot(lean(1), lean(2, Channel.LAMBDA_REAR)), 1.0)
    assert said is not None
    assert said.text == "Lean under load, front and rear. Close the throttle."
    assert announcer.finished(2.0) is None


@pytest.mark.parametrize("earlier", [shot(hot()), shot(run=pull())])
def test_a_danger_interrupts_whatever_is_being_said(announcer, earlier):
    assert announcer.hear(earlier, 1.0) is not None
    said = announcer.hear(replace(earlier, alerts=(lean(9), *earlier.alerts)), 1.05)
    assert said is not None
    assert said.key == "lean_under_load"


def test_a_danger_interrupts_another_danger_which_is_said_once_more(announcer):
    announcer.hear(shot(lean()), 1.0)
    assert announcer.hear(shot(lean(), knock()), 1.3).text == "Knock. Close the throttle."
    assert announcer.hear(shot(lean(), knock()), 1.35) is None, "they must not chase each other"
    assert announcer.finished(2.5).key == "lean_under_load"
    assert announcer.finished(4.0) is None


def test_a_danger_is_said_however_many_warnings_wait(announcer):
    """A full queue of earlier messages may not hold it back for one snapshot."""
    others = [replace(hot(n), key=f"warning_{n}") for n in range(20, 40)]
    announcer.hear(shot(*others), 1.0)
    assert announcer.hear(shot(*others, lean(50)), 1.05).key == "lean_under_load"


def test_a_danger_is_repeated_until_it_is_over_or_acknowledged(announcer):
    announcer.hear(shot(lean()), 1.0)
    announcer.finished(3.0)
    assert announcer.hear(shot(lean()), 1.0 + DANGER_AGAIN_S - 0.1) is None
    assert announcer.hear(shot(lean()), 1.0 + DANGER_AGAIN_S) is not None
    announcer.finished(9.0)
    assert announcer.hear(shot(lean(acknowledged=True)), 30.0) is None
    assert announcer.hear(shot(lean(ended_s=NOW_S + 1)), 60.0) is None


def test_a_new_danger_of_the_same_kind_is_told_again_at_once(announcer):
    announcer.hear(shot(lean(1)), 1.0)
    announcer.finished(2.0)
    announcer.hear(shot(lean(1, ended_s=NOW_S + 1)), 3.0)
    assert announcer.hear(shot(lean(1, ended_s=NOW_S + 1), lean(2)), 3.05) is not None


def test_a_warning_waits_for_a_danger_and_interrupts_a_call_out(announcer):
    announcer.hear(shot(run=pull()), 1.0)
    assert announcer.hear(shot(hot(), run=pull()), 1.2).key == "intake_hot"
    assert announcer.hear(shot(hot(), lean(), run=pull()), 1.4).key == "lean_under_load"
    assert announcer.hear(shot(hot(), lean(), replace(hot(6), key="loss"), run=pull()), 1.6) is None
    assert announcer.finished(3.0).key == "loss"
    assert announcer.finished(4.0).key == "intake_hot", "it was cut off"


def test_a_warning_is_told_once(announcer):
    announcer.hear(shot(hot()), 1.0)
    announcer.finished(2.0)
    assert announcer.hear(shot(hot()), 60.0) is None


def test_a_warning_that_was_read_while_it_waited_is_not_told(announcer):
    announcer.hear(shot(lean()), 1.0)
    announcer.hear(shot(lean(), hot()), 1.2)
    announcer.hear(shot(lean(), replace(hot(), acknowledged=True)), 1.4)
    assert announcer.finished(3.0) is None


def test_a_pull_is_called_out_when_it_begins_and_when_it_ends(announcer):
    assert announcer.hear(shot(run=pull()), 1.0).text == "Pull 3."
    announcer.finished(2.0)
    said = announcer.hear(shot(runs=(pull(finished=True),)), 7.0)
    assert said.text == "Pull 3. 94 horsepower. 4 cells covered."


def test_call_outs_follow_the_units():
    announcer = Announcer(Display(UnitSystem.METRIC, MixtureScale.LAMBDA))
    announcer.hear(shot(), 0.0)
    said = announcer.hear(shot(runs=(pull(finished=True),)), 1.0)
    assert "70 kilowatts" in said.text


def test_a_call_out_whose_moment_has_passed_is_dropped(announcer):
    announcer.hear(shot(lean()), 1.0)
    announcer.hear(shot(lean(), run=pull()), 1.2)
    assert announcer.finished(6.0) is None


def test_an_utterance_without_an_end_does_not_mute_the_rest(announcer):
    announcer.hear(shot(hot()), 1.0)
    both = shot(hot(), replace(hot(6), key="loss"))
    assert announcer.hear(both, 2.0) is None
    assert announcer.hear(both, 1.0 + LONGEST_S + 0.1).key == "loss"


def test_switched_on_in_the_middle_it_tells_what_is_true_now_and_no_history():
    announcer = Announcer(Display())
    old = lean(1, ended_s=NOW_S + 1)
    said = announcer.hear(shot(old, knock(), runs=(pull(2, finished=True),)), 0.0)
    assert said.key == "knock"
    assert announcer.finished(1.0) is None


def test_silence_forgets_everything(announcer):
    announcer.hear(shot(lean(), hot()), 1.0)
    announcer.silence()
    assert announcer.speaking is None
    assert announcer.tick(1.1) is None


# The tone of the error


def mixed(**errors: float) -> Snapshot:
    """A snapshot with these errors of front and rear."""
    mixtures = {Cylinder(k): Mixture(0.9, 0.88, e, "") for k, e in errors.items()}
    return shot(mixtures=mixtures)


def test_the_larger_error_sounds_and_not_too_often(announcer):
    assert announcer.tone(mixed(front=0.04, rear=-0.09), 1.0) == -0.09
    assert announcer.tone(mixed(front=0.04, rear=-0.09), 1.0 + TONE_EVERY_S / 2) is None
    assert announcer.tone(mixed(front=0.04, rear=-0.09), 1.01 + TONE_EVERY_S) == -0.09


def test_a_good_mixture_and_one_that_does_not_count_make_no_sound(announcer):
    assert announcer.tone(mixed(front=0.02), 1.0) is None
    overrun = shot(mixtures={Cylinder.FRONT: Mixture(1.4, 0.9, 0.5, "overrun")})
    assert announcer.tone(overrun, 2.0) is None


def test_no_tone_over_a_danger(announcer):
    announcer.hear(shot(lean()), 1.0)
    assert announcer.tone(mixed(front=0.2), 1.1) is None


def pitches(samples: bytes) -> tuple[float, float]:
    """Return the pitch of the first and of the last quarter, from the zeros they cross."""
    wave = np.frombuffer(samples, "<i2").astype(float)
    quarter = len(wave) // 4
    crossings = [
        np.count_nonzero(np.diff(np.sign(w)) > 0) for w in (wave[:quarter], wave[-quarter:])
    ]
    return tuple(c * tones.RATE_HZ / quarter for c in crossings)


def test_lean_rises_and_rich_falls():
    start, end = pitches(tones.error_tone(0.10))
    assert end > start * 1.3
    start, end = pitches(tones.error_tone(-0.10))
    assert end < start / 1.3


def test_tones_neither_click_nor_clip():
    for samples in (tones.alarm(), tones.warning(), tones.call_out(), tones.error_tone(9.0)):
        wave = np.frombuffer(samples, "<i2").astype(int)
        assert abs(wave[0]) < 300 and abs(wave[-1]) < 300
        assert np.abs(wave).max() < 20_000


def test_the_worked_examples_of_the_tones_hold():
    result = doctest.testmod(tones)
    assert result.attempted > 0
    assert result.failed == 0


# The desk and what is heard on this machine


class Heard(VoiceOutput):
    """Writes down what is said."""

    words = "Everything is written down."
    can_speak = can_sound = True

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.said: list[str] = []
        self.sounds = 0
        self.stops = 0

    def say(self, utterance: Utterance) -> None:
        self.said.append(utterance.text)

    def sound(self, samples: bytes) -> None:
        self.sounds += 1

    def stop(self) -> None:
        self.stops += 1


@pytest.fixture
def desk(qapp) -> VoiceDesk:
    return VoiceDesk(make=Heard)


def test_off_is_off(desk):
    desk.hear(shot(lean()))
    assert desk._output is None, "nothing is loaded before it is wanted"


def test_what_is_decided_is_said_and_the_end_brings_the_next(desk):
    desk.set_mode(VoiceMode.WORDS, Display())
    desk.hear(shot())
    desk.hear(shot(lean(), hot()))
    desk.output.finished.emit()
    assert desk.output.said == ["Lean under load, front. Close the throttle.", "Intake air hot."]
    assert desk.output.sounds == 0


def test_the_error_tone_is_an_option(desk):
    desk.set_mode(VoiceMode.TONE, Display())
    desk.hear(mixed(front=0.08))
    assert desk.output.sounds == 1


def test_switching_off_stops_in_the_middle_of_a_word(desk):
    desk.set_mode(VoiceMode.WORDS, Display())
    desk.hear(shot(lean()))
    desk.set_mode(VoiceMode.OFF, Display())
    assert desk.output.stops == 1
    desk.output.finished.emit()
    assert len(desk.output.said) == 1


def without(*names: str) -> Callable[[str], object]:
    """Return an import that does not find these modules."""

    def import_module(name: str) -> object:
        if name in names:
            raise ImportError(name)
        raise AssertionError(name)

    return import_module


def test_without_speech_and_sound_it_says_so_plainly(monkeypatch, qapp):
    missing = without("PySide6.QtTextToSpeech", "PySide6.QtMultimedia")
    monkeypatch.setattr(voice_ways.importlib, "import_module", missing)
    monkeypatch.setattr(voice_ways.shutil, "which", lambda _name: None)
    monkeypatch.setattr(voice_ways, "windows_sound", lambda: None)
    output = make_output()
    assert not output.can_speak
    assert "no voice on this platform" in output.words


class Engine(QObject):
    """QTextToSpeech as far as it is used."""

    State = SimpleNamespace(Ready=0, Speaking=1, Error=3)
    stateChanged = Signal(int)  # noqa: N815 - Qt's name

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.said: list[str] = []

    def state(self) -> int:
        return self.now

    def move(self, state: int) -> None:
        self.now = state
        self.stateChanged.emit(state)

    def availableLocales(self) -> list[object]:  # noqa: N802 - Qt's name
        return []

    def say(self, text: str) -> None:
        self.said.append(text)

    def stop(self) -> None:
        self.now = 0


@pytest.fixture
def speech(qapp) -> tuple[Engine, SpeechOutput]:
    engine = Engine()
    return engine, SpeechOutput(engine, None)


def test_speech_reports_its_end(speech):
    engine, output = speech
    ends = ui_world.heard(output.finished)
    output.say(Utterance("Pull 3.", Priority.CALL_OUT, "run", 0.0))
    engine.move(Engine.State.Speaking)
    engine.move(Engine.State.Ready)
    assert engine.said == ["Pull 3."]
    assert len(ends) == 1


def test_the_late_end_of_an_interrupted_word_is_not_the_end_of_the_next(speech):
    """Else a waiting call-out would cut off the warning that had just interrupted it."""
    engine, output = speech
    ends = ui_world.heard(output.finished)
    output.say(Utterance("Pull 3.", Priority.CALL_OUT, "run", 0.0))
    engine.move(Engine.State.Speaking)
    output.say(Utterance("Knock.", Priority.DANGER, "knock", 0.0))
    engine.move(Engine.State.Ready)  # of the call-out
    assert ends == []
    engine.move(Engine.State.Speaking)
    engine.move(Engine.State.Ready)
    assert len(ends) == 1


def test_an_engine_that_fails_does_not_mute_what_follows(speech):
    engine, output = speech
    ends = ui_world.heard(output.finished)
    output.say(Utterance("Pull 3.", Priority.CALL_OUT, "run", 0.0))
    engine.move(Engine.State.Error)
    assert len(ends) == 1


class Sink(QObject):
    """QAudioSink as far as it is used."""

    stateChanged = Signal(int)  # noqa: N815 - Qt's name

    def __init__(self, *_arguments: object) -> None:
        super().__init__()
        self.played: list[bytes] = []

    def start(self, device) -> None:
        self.played.append(bytes(device.readAll()))

    def stop(self) -> None:
        self.stateChanged.emit(MULTIMEDIA.QAudio.State.StoppedState)


class Format:
    """QAudioFormat as far as it is used."""

    SampleFormat = SimpleNamespace(Int16=2)

    def __getattr__(self, _name: str) -> Callable[[object], None]:
        return lambda _value: None


MULTIMEDIA = SimpleNamespace(
    QAudio=SimpleNamespace(State=SimpleNamespace(IdleState=3, StoppedState=2)),
    QAudioFormat=Format,
    QAudioSink=Sink,
)


def test_without_speech_dangers_and_warnings_are_different_tones(qapp):
    output = ToneOutput(MULTIMEDIA, None)
    ends = ui_world.heard(output.finished)
    for priority in (Priority.DANGER, Priority.WARNING):
        output.say(Utterance("", priority, "key", 0.0))
    assert ends == [], "interrupting is not finishing"
    output._sink.stateChanged.emit(MULTIMEDIA.QAudio.State.IdleState)
    assert len(ends) == 1
    danger, warning = output._sink.played
    assert danger == tones.alarm()
    assert warning == tones.warning()


# In the window


@pytest.fixture
def window(qtbot, tmp_path) -> MainWindow:
    shown = MainWindow(tmp_path / "settings.ini", "1.2.3", "notices")
    qtbot.addWidget(shown)
    shown.show()
    return shown


def test_v_without_a_voice_says_why(qtbot, window, monkeypatch):
    monkeypatch.setattr(window.voice, "_make", VoiceOutput)
    qtbot.keyClick(window.focusWidget() or window, Qt.Key.Key_V)
    assert "no voice on this platform" in window.footer.line.text()
    assert window.preferences.voice is VoiceMode.OFF
    window.show_page("settings")
    assert "no voice on this platform" in window.panel().voice.text()


def test_v_switches_the_voice_and_the_settings_follow(qtbot, window, monkeypatch):
    monkeypatch.setattr(window.voice, "_make", Heard)
    window.show_page("settings")
    qtbot.keyClick(window.focusWidget() or window, Qt.Key.Key_V)
    assert window.preferences.voice is VoiceMode.WORDS
    assert window.panel().buttons["voice", VoiceMode.WORDS].isChecked()
    assert "voice on" in window.footer.hint.text()
    window.live_model.take_snapshot(shot(lean()))
    assert len(window.voice.output.said) == 1
    qtbot.keyClick(window.focusWidget() or window, Qt.Key.Key_V)
    assert window.preferences.voice is VoiceMode.OFF


def test_a_voice_left_on_is_not_called_on_where_there_is_none(window, monkeypatch):
    monkeypatch.setattr(window.voice, "_make", VoiceOutput)
    window.settings_changed.emit(replace(window.preferences, voice=VoiceMode.WORDS))
    assert "voice off" in window.footer.hint.text()
    window.live_model.take_snapshot(shot(lean()))


def test_the_voice_is_heard_while_the_window_is_minimised(window, monkeypatch):
    monkeypatch.setattr(window.voice, "_make", Heard)
    window.settings_changed.emit(replace(window.preferences, voice=VoiceMode.WORDS))
    window.hide()
    window.live_model.take_snapshot(shot(lean()))
    assert len(window.voice.output.said) == 1


def test_another_source_is_not_told_of_the_last_one(window, monkeypatch):
    monkeypatch.setattr(window.voice, "_make", Heard)
    window.settings_changed.emit(replace(window.preferences, voice=VoiceMode.WORDS))
    window.live_model.take_snapshot(shot(lean(), hot()))
    window.live_model.clear()
    window.voice.output.finished.emit()
    assert len(window.voice.output.said) == 1
