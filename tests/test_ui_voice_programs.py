"""The voice by programs of the platform: real processes, killed when they must be, none left."""

from __future__ import annotations

import doctest
import io
import sys
import wave
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from dynoai_desktop.ui import tones, voice_programs, voice_ways
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.panels.settings import SettingsPanel
from dynoai_desktop.ui.preferences import Preferences, VoiceMode
from dynoai_desktop.ui.voice import Priority, Utterance
from dynoai_desktop.ui.voice_desk import TRIAL, VoiceDesk
from dynoai_desktop.ui.voice_output import VoiceOutput
from dynoai_desktop.ui.voice_programs import (
    PLAYERS,
    SPEAKERS,
    PlayerOutput,
    Program,
    SpeakerOutput,
    plain_text,
    wav_file,
)
from dynoai_desktop.ui.voice_ways import make_output
from dynoai_desktop.ui.voice_windows import WindowsTones
from tests import ui_world

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are shell scripts"),
    pytest.mark.qt_log_ignore("propagateSizeHints"),
]

PULL = Utterance("Pull 3.", Priority.CALL_OUT, "run", 0.0)
DANGER = Utterance("Lean under load. Close the throttle.", Priority.DANGER, "lean", 0.0)


def script(folder: Path, name: str, *lines: str) -> str:
    """Write a program and return its path."""
    path = folder / name
    path.write_text("#!/bin/sh\n" + "\n".join(lines) + "\n")
    path.chmod(0o755)
    return str(path)


def speaker(tmp_path: Path, ends: bool = True, code: int = 0) -> SpeakerOutput:
    """A program that writes down what it is told to speak; one that does not end goes on."""
    log = tmp_path / "spoken"
    after = f"exit {code}" if ends else "exec sleep 60"
    path = script(tmp_path, "speak", f'echo "$# args" >> {log}; cat >> {log}; echo >> {log}', after)
    return SpeakerOutput(path, Program("speak", ("--stdin",)))


def player(tmp_path: Path, ends: bool = True) -> PlayerOutput:
    """A program that keeps a copy of what it is told to play."""
    after = "exit 0" if ends else "exec sleep 60"
    copy, played = tmp_path / "copy", tmp_path / "played"
    path = script(tmp_path, "play", f'cp "$2" {copy}; mv {copy} {played}', after)
    return PlayerOutput(path, Program("play", ("-q",)))


def children() -> list[psutil.Process]:
    """The processes this one has started that still run or were not collected."""
    return psutil.Process().children(recursive=True)


def is_going_on() -> bool:
    """Whether one stand-in has taken in what it was given and goes on."""
    try:
        return [child.name() for child in children()] == ["sleep"]
    except psutil.NoSuchProcess:  # it ended between the two looks
        return False


def test_a_program_speaks_what_it_is_given_and_its_end_brings_the_next(qtbot, tmp_path):
    output = speaker(tmp_path)
    for said in (PULL, DANGER):
        with qtbot.waitSignal(output.finished):
            output.say(said)
    spoken = (tmp_path / "spoken").read_text().split("\n")
    assert spoken == ["1 args", PULL.text, "1 args", DANGER.text, ""]
    output.close()
    assert children() == []


def test_a_danger_kills_what_is_being_said(qtbot, tmp_path):
    output = speaker(tmp_path, ends=False)
    ends = ui_world.heard(output.finished)
    output.say(PULL)
    qtbot.waitUntil(is_going_on)
    (first,) = children()
    output.say(DANGER)
    qtbot.waitUntil(lambda: not first.is_running())
    qtbot.waitUntil(is_going_on)
    assert DANGER.text in (tmp_path / "spoken").read_text()
    assert ends == [], "interrupting is not finishing"
    output.close()
    assert children() == []


def test_silence_is_at_once_and_nothing_is_left(qtbot, tmp_path):
    output = speaker(tmp_path, ends=False)
    ends = ui_world.heard(output.finished)
    output.say(PULL)
    qtbot.waitUntil(is_going_on)
    output.stop()
    qtbot.waitUntil(lambda: children() == [])
    assert ends == []


@pytest.mark.parametrize(
    "hostile",
    [
        "--help",
        "-w /tmp/x",
        "$(touch pwned)",
        "`reboot`",
        "a; rm -rf /",
        "[[volm 0]] lean",
        "\x1b]0;",
    ],
)
def test_text_is_only_ever_spoken(qtbot, tmp_path, hostile):
    output = speaker(tmp_path)
    with qtbot.waitSignal(output.finished):
        output.say(Utterance(hostile, Priority.WARNING, "x", 0.0))
    count, text, *_ = (tmp_path / "spoken").read_text().split("\n")
    assert count == "1 args", "the text is no argument"
    assert text == plain_text(hostile)
    assert not set(text) & set("[]$`\x1b")
    output.close()


def test_a_tone_is_played_from_a_file_and_dangers_sound_different(qtbot, tmp_path):
    output = player(tmp_path)
    for said, samples in ((DANGER, tones.alarm()), (PULL, tones.call_out())):
        with qtbot.waitSignal(output.finished):
            output.say(said)
        assert (tmp_path / "played").read_bytes() == wav_file(samples)
    folder = Path(output._folder.path())
    output.close()
    assert not folder.exists(), "the files go with the output"


def test_the_error_tone_waits_for_what_is_being_said(qtbot, tmp_path):
    output = player(tmp_path, ends=False)
    output.say(DANGER)
    qtbot.waitUntil(is_going_on)
    output.sound(tones.error_tone(0.1))
    assert is_going_on()
    assert (tmp_path / "played").read_bytes() == wav_file(tones.alarm())
    output.close()
    assert children() == []


def test_a_program_that_fails_is_told_and_does_not_mute_the_rest(qtbot, tmp_path):
    output = speaker(tmp_path, code=3)
    told = ui_world.heard(output.failed)
    with qtbot.waitSignal(output.finished):
        output.say(PULL)
    assert told == [
        "No word was heard: speak ended with code 3. Check the loudspeaker of this computer."
    ]
    missing = SpeakerOutput(str(tmp_path / "gone"), Program("gone"))
    told = ui_world.heard(missing.failed)
    with qtbot.waitSignal(missing.finished):
        missing.say(PULL)
    assert "gone did not start" in told[0]


def test_a_wav_file_is_one_that_others_can_read():
    with wave.open(io.BytesIO(wav_file(tones.warning()))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 44_100)
        assert file.readframes(file.getnframes()) == tones.warning()


def test_the_best_that_is_installed_is_found(monkeypatch, tmp_path, qapp):
    monkeypatch.setattr(voice_ways, "_module", lambda _name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(PLAYERS, sys.platform, (Program("pw-play"), Program("aplay")))
    monkeypatch.setitem(SPEAKERS, sys.platform, (Program("espeak-ng"),))
    assert not make_output().can_speak
    script(tmp_path, "aplay")
    assert isinstance(make_output(), PlayerOutput)
    script(tmp_path, "espeak-ng")
    output = make_output()
    assert isinstance(output, SpeakerOutput)
    assert output.can_sound
    assert output.words == "Warnings and call-outs are spoken."


def test_every_platform_has_a_way_that_needs_nothing_installed():
    assert set(SPEAKERS) == {"linux", "darwin", "win32"}
    assert set(PLAYERS) | {"win32"} == set(SPEAKERS)
    for programs in (*SPEAKERS.values(), *PLAYERS.values()):
        assert all("{" not in "".join(p.arguments) for p in programs), "nothing is filled in"


class WinSound(SimpleNamespace):
    """winsound as far as it is used."""

    SND_FILENAME, SND_ASYNC, SND_NODEFAULT = 0x20000, 1, 2

    def PlaySound(self, sound: str | None, flags: int) -> None:  # noqa: N802 - Windows' name
        self.played.append((None if sound is None else Path(sound).read_bytes(), flags))


def test_windows_plays_in_the_background_and_the_length_tells_the_end(qtbot):
    sound = WinSound(played=[])
    output = WindowsTones(sound)
    with qtbot.waitSignal(output.finished):
        output.say(PULL)
    assert sound.played == [(wav_file(tones.call_out()), 0x20003)]
    output.close()
    assert sound.played[-1] == (None, 0)


# The desk and the settings


def test_say_something_is_heard_though_the_voice_is_off(qtbot, tmp_path):
    desk = VoiceDesk(make=lambda _parent: speaker(tmp_path))
    with qtbot.waitSignal(desk.output.finished):
        desk.try_out()
    assert TRIAL in (tmp_path / "spoken").read_text()
    desk.close()


def test_the_settings_offer_a_trial_and_say_when_it_failed(qtbot, tmp_path):
    desk = VoiceDesk(make=lambda _parent: speaker(tmp_path, code=1))
    panel = SettingsPanel(Look(), Preferences(voice=VoiceMode.OFF), desk)
    qtbot.addWidget(panel)
    with qtbot.waitSignal(desk.output.finished):
        panel.try_voice.click()
    assert "No word was heard" in panel.voice.text()
    desk.close()


def test_where_there_is_no_voice_there_is_nothing_to_try(qtbot):
    panel = SettingsPanel(Look(), Preferences(), VoiceDesk(make=VoiceOutput))
    qtbot.addWidget(panel)
    assert not panel.try_voice.isEnabled()
    assert "no voice on this platform" in panel.voice.text()


def test_the_worked_examples_hold():
    assert doctest.testmod(voice_programs).failed == 0
