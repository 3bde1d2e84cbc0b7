"""Connect: interfaces, providers, and a table of every channel that stays usable."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.trust.health import BusHealth, ChannelState
from dynoai_desktop.core.units import Display, MixtureScale, Unit, UnitSystem
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import FrameState, InterfaceRow, SourceKind, SourceState
from dynoai_desktop.ui.panels.connect import ConnectPanel
from dynoai_desktop.ui.panels.connect_columns import CHANNEL_COLUMNS
from dynoai_desktop.ui.widgets.provider_list import provider_words
from tests import ui_world

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

INTERFACES = (
    InterfaceRow("127.0.0.1", "lo", True),
    InterfaceRow("192.168.1.23", "Ethernet", True),
    InterfaceRow("169.254.22.100", "USB Ethernet", True),
    InterfaceRow("10.0.0.4", "Wi-Fi", False),
)
TITLES = [column.title for column in CHANNEL_COLUMNS]


@pytest.fixture
def panel(qtbot):
    shown = ConnectPanel(Look())
    qtbot.addWidget(shown)
    shown.resize(1100, 700)
    shown.show()
    return shown


def cell(panel, row, title):
    """Return the text of a cell in the channel table."""
    return panel.channels.index(row, TITLES.index(title)).data()


def names(panel):
    return [cell(panel, row, "Channel") for row in range(panel.channels.rowCount())]


def bus_of(*channels):
    return BusHealth(0, (ui_world.provider(channels=len(channels)),), tuple(channels), 100)


# Interfaces


def listed(panel):
    return [panel.interfaces.item(i).text() for i in range(panel.interfaces.count())]


def test_every_interface_is_listed_loopback_and_link_local_included(panel):
    panel.show_state(FrameState(interfaces=INTERFACES))
    rows = listed(panel)
    assert len(rows) == 4
    assert all(row.address in text for row, text in zip(INTERFACES, rows, strict=True))
    assert all(row.description in text for row, text in zip(INTERFACES, rows, strict=True))
    assert "× down" in rows[3]


@pytest.mark.parametrize(
    "kind, mark", [(SourceKind.LIVE, "✓ listening"), (SourceKind.FAILED, "× failed")]
)
def test_the_chosen_interface_is_marked_and_highlighted(panel, kind, mark):
    panel.show_state(FrameState(interfaces=INTERFACES))
    source = SourceState(kind, "169.254.22.100", message="It failed. Try again.")
    panel.show_state(FrameState(interfaces=INTERFACES, source=source))
    assert [mark in row for row in listed(panel)] == [False, False, True, False]
    assert panel.interfaces.currentRow() == 2


def test_enter_chooses_the_highlighted_interface(panel, qtbot):
    panel.show_state(FrameState(interfaces=INTERFACES))
    chosen = []
    panel.interface_chosen.connect(chosen.append)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Return):
        qtbot.keyClick(panel.interfaces, key)
    assert chosen == ["192.168.1.23"]


def test_an_interface_that_is_down_cannot_be_chosen(panel, qtbot):
    panel.show_state(FrameState(interfaces=INTERFACES))
    chosen = []
    panel.interface_chosen.connect(chosen.append)
    panel.interfaces.setCurrentRow(3)
    qtbot.keyClick(panel.interfaces, Qt.Key.Key_Return)
    assert chosen == []


def test_a_new_list_keeps_the_highlight(panel):
    panel.show_state(FrameState(interfaces=INTERFACES))
    panel.interfaces.setCurrentRow(2)
    panel.show_state(FrameState(interfaces=(*INTERFACES[1:], INTERFACES[0])))
    assert panel.interfaces.currentItem().text().startswith("169.254.22.100")


# Empty and error


def test_an_empty_page_says_what_will_be_here_and_how_to_get_it(panel):
    assert panel.note.isVisible()
    assert panel.note.title.text() == "Channels will be listed here"
    assert panel.note.button.isVisible()


def test_silence_says_what_to_check(panel):
    panel.show_state(FrameState(source=SourceState(SourceKind.LIVE, "127.0.0.1")))
    assert "firewall" in panel.note.text.text()


def test_the_note_makes_room_for_the_first_channel(panel):
    panel.show_health(ui_world.bus())
    assert not panel.note.isVisible()
    assert panel.channel_table.isVisible()


# Channels


def test_a_channel_shows_value_unit_rate_age_use_and_state(panel):
    panel.show_health(ui_world.bus())
    assert [cell(panel, 0, title) for title in TITLES] == [
        "Engine RPM",
        "4\u00a0820",
        "rpm",
        "rpm",
        "20.0 Hz",
        "0.0 s",
        "✓ healthy",
        "Power Core",
    ]


def test_a_channel_nobody_uses_says_so_and_one_never_heard_is_a_dash(panel):
    panel.show_health(ui_world.bus())
    assert cell(panel, 7, "Used as") == "not used"
    assert cell(panel, 7, "Value") == cell(panel, 7, "Age") == "–"


def test_a_stale_channel_is_grey_with_its_age(panel):
    panel.show_health(bus_of(ui_world.channel(state=ChannelState.STALE)))
    assert cell(panel, 0, "State") == "! stale"
    assert cell(panel, 0, "Age") == "7.4 s"
    colour = panel.channels.index(0, TITLES.index("Value")).data(Qt.ItemDataRole.ForegroundRole)
    assert colour.name().upper() == panel.look.palette.quiet


def test_units_follow_the_setting(panel):
    panel.show_health(ui_world.bus())
    row = names(panel).index("Power Drum 1")
    afr = names(panel).index("Air/Fuel Ratio 1")
    assert (cell(panel, row, "Value"), cell(panel, row, "Unit")) == ("100.0", "hp")
    assert (cell(panel, afr, "Value"), cell(panel, afr, "Unit")) == ("12.83", "AFR")
    panel.set_look(Look(display=Display(UnitSystem.METRIC, MixtureScale.LAMBDA)))
    assert (cell(panel, row, "Value"), cell(panel, row, "Unit")) == ("74.57", "kW")
    assert (cell(panel, afr, "Value"), cell(panel, afr, "Unit")) == ("0.873", "λ")


HOSTILE = ("<b>bold</b>", "<img src=x>", "a\nb", "a\u202eb", "\x00\x01", "&amp; &File", "")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_with_markup_is_shown_as_text(panel, name):
    """What is drawn for the name is exactly its letters: markup is neither obeyed nor hidden."""
    panel.show_health(bus_of(ui_world.channel(name=name)))
    shown = cell(panel, 0, "Channel")
    assert len(shown) == len(name)
    assert shown.replace("�", "").isprintable()
    assert all(a == b or b == "�" for a, b in zip(name, shown, strict=True))
    panel.grab()


def test_the_model_keeps_the_rules_of_qt(panel, qtbot):
    QAbstractItemModelTester(
        panel.channels, QAbstractItemModelTester.FailureReportingMode.Warning, panel
    )
    panel.show_health(ui_world.bus(20))
    panel.channels.set_needle("torque")
    panel.channels.sort(1, Qt.SortOrder.DescendingOrder)
    panel.show_health(ui_world.bus(9, step=1))
    panel.channels.set_needle("")
    panel.show_health(BusHealth(0))


def test_find_keeps_only_matching_channels(panel, qtbot):
    panel.show_health(ui_world.bus(16))
    assert panel.act("find")
    qtbot.keyClicks(panel.search, "TORQUE")
    assert names(panel) == ["Torque Drum 1", "Torque Drum 1 2"]
    assert panel.act("back")
    assert panel.channels.rowCount() == 16


def test_a_column_sorts_and_missing_values_stand_together(panel):
    panel.show_health(ui_world.bus())
    value = TITLES.index("Value")
    panel.channels.sort(value, Qt.SortOrder.AscendingOrder)
    assert cell(panel, 0, "Value") == "–"
    assert names(panel)[-1] == "Engine RPM"
    panel.channels.sort(value, Qt.SortOrder.DescendingOrder)
    assert names(panel)[0] == "Engine RPM"
    panel.channels.sort(-1)
    assert names(panel)[:2] == ["Engine RPM", "Torque Drum 1"]


def test_a_sorted_table_does_not_jump_while_values_change(panel):
    panel.show_health(bus_of(ui_world.channel("A", 1, 10.0), ui_world.channel("B", 2, 20.0)))
    panel.channels.sort(TITLES.index("Value"))
    panel.show_health(bus_of(ui_world.channel("A", 1, 30.0), ui_world.channel("B", 2, 20.0)))
    assert names(panel) == ["A", "B"]
    assert cell(panel, 0, "Value") == "30.00"


def test_selection_and_scroll_stay_while_values_change_and_channels_come(panel, qtbot):
    panel.show_health(ui_world.bus(200))
    table = panel.channel_table
    table.selectRow(120)
    table.verticalScrollBar().setValue(100)
    for step, count in ((1, 200), (2, 200), (3, 203), (4, 203)):
        panel.show_health(ui_world.bus(count, step=step))
        assert table.selected().id == 120
        assert table.verticalScrollBar().value() == 100


def test_sorting_keeps_the_chosen_channel_chosen(panel):
    panel.show_health(ui_world.bus(50))
    panel.channel_table.selectRow(10)
    panel.channels.sort(0, Qt.SortOrder.DescendingOrder)
    assert panel.channel_table.selected().id == 10


def test_five_thousand_channels_cost_only_what_is_on_the_screen(panel, monkeypatch):
    read = []
    text = CHANNEL_COLUMNS[0].text
    counting = replace(
        CHANNEL_COLUMNS[0], text=lambda row, look: (read.append(row.id), text(row, look))[1]
    )
    panel.channels.columns = (counting, *CHANNEL_COLUMNS[1:])
    panel.show_health(ui_world.bus(5000))
    panel.grab()
    assert panel.channels.rowCount() == 5000
    assert 0 < len(set(read)) < 60
    read.clear()
    panel.show_health(ui_world.bus(5000, step=1))
    panel.grab()
    assert 0 < len(set(read)) < 60


# Providers


def test_a_provider_tells_frames_losses_and_clock():
    words = provider_words(replace(ui_world.provider(lost=120, simulated=True), clock_synced=False))
    assert "Power Core   SIMULATED   35 ch" in words
    assert "10\u00a0000 frames" in words
    assert "! lost 120 (1.2%)" in words
    assert "clock estimated" in words


def test_providers_come_and_go_in_place(panel):
    one, two = ui_world.provider(), ui_world.provider("Atmospheric Probe", channels=7)
    for providers in ((one,), (one, two), (two,)):
        panel.show_health(BusHealth(0, providers, (ui_world.channel(canonical=Channel.RPM),)))
        shown = [panel.providers.item(i).text() for i in range(panel.providers.count())]
        assert [text.split("   ")[0] for text in shown] == [p.name for p in providers]


def test_a_channel_without_unit_prints_none(panel):
    panel.show_health(bus_of(ui_world.channel("Sampling", 1, 50.0, Unit.NONE)))
    assert cell(panel, 0, "Unit") == ""
