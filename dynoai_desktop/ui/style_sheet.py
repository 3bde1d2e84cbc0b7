"""The style sheet, written from a palette and a scale.

Widgets are addressed by a "role" property, so that one rule dresses all of a kind.
"""

from __future__ import annotations

from dataclasses import dataclass

from dynoai_desktop.ui.theme import BUTTON_PX, MONO_FAMILY, SMALLEST_TEXT_PX, TEXT_FAMILY, Palette


@dataclass(frozen=True, slots=True)
class Sizes:
    """Text sizes in pixels for one scale; 1.0 is a 1920 × 1080 screen."""

    body: int
    small: int
    title: int
    verdict: int

    @classmethod
    def at(cls, scale: float) -> Sizes:
        """Return the sizes at *scale*, none below the smallest legible one."""
        return cls(*(max(SMALLEST_TEXT_PX, round(px * scale)) for px in (20, 17, 26, 52)))


def style_sheet(palette: Palette, scale: float) -> str:
    """Return the whole style sheet of the window."""
    p, size = palette, Sizes.at(scale)
    button = round(BUTTON_PX * max(scale, 1.0))
    return f"""
* {{ font-family: "{TEXT_FAMILY}"; font-size: {size.body}px; color: {p.text}; }}
QMainWindow, QWidget[role="ground"] {{ background: {p.ground}; }}
QWidget[role="card"] {{
    background: {p.panel}; border: 1px solid {p.line}; border-radius: 6px; }}
QWidget[role="bar"] {{ background: {p.panel}; border: none; }}
QLabel {{ background: transparent; border: none; }}
QLabel[role="title"] {{ font-size: {size.title}px; font-weight: bold; }}
QLabel[role="heading"] {{ font-weight: bold; }}
QLabel[role="quiet"] {{ color: {p.quiet}; }}
QLabel[role="verdict"] {{ font-size: {size.verdict}px; font-weight: bold; }}
QLabel[role="small"] {{ color: {p.quiet}; font-size: {size.small}px; }}
QLabel[state="good"] {{ color: {p.good}; }}
QLabel[state="attention"] {{ color: {p.attention}; }}
QLabel[state="danger"] {{ color: {p.danger}; }}
QLabel[state="alarm"] {{ background: {p.danger}; color: {p.on_state}; border-radius: 4px; }}
QLabel[state="quiet"] {{ color: {p.quiet}; }}
QLabel[state="info"] {{ color: {p.text}; }}
QLabel[role="badge"] {{
    background: {p.simulated}; color: {p.on_simulated}; font-weight: bold;
    border-radius: 4px; padding: 10px 16px; }}
QLabel[role="badge"][state="plain"] {{ background: {p.accent}; color: {p.on_state}; }}
QFrame[role="simulated"] {{ background: {p.simulated}; border: none; }}

QPushButton {{
    background: {p.panel}; border: 1px solid {p.line}; border-radius: 6px;
    padding: 0 16px; min-height: {button - 2}px; }}
QPushButton:hover {{ border-color: {p.quiet}; }}
QPushButton:focus {{ border: 2px solid {p.accent}; }}
QPushButton:pressed {{ background: {p.line}; }}
QPushButton:checked {{
    background: {p.accent}; color: {p.on_state}; border-color: {p.accent}; font-weight: bold; }}
QPushButton:checked:focus {{ border: 2px solid {p.text}; }}
QPushButton:disabled {{ color: {p.quiet}; }}
QPushButton[role="compact"] {{
    min-height: 26px; padding: 2px 10px; font-size: {size.small}px; border-color: {p.line}; }}
QPushButton[role="record"] {{ font-weight: bold; }}
QPushButton[role="start"] {{
    background: {p.accent}; color: {p.on_state}; border-color: {p.accent}; font-weight: bold;
    min-height: {round(button * 1.3)}px; min-width: {button * 3}px; }}
QPushButton[role="start"]:focus {{ border: 2px solid {p.text}; }}
QPushButton[role="start"]:disabled {{
    background: {p.panel}; color: {p.quiet}; border-color: {p.line}; }}
QPushButton[role="record"][state="recording"] {{
    background: {p.danger}; color: {p.on_state}; border-color: {p.danger}; }}

QLineEdit {{
    background: {p.panel}; border: 1px solid {p.line}; border-radius: 6px; padding: 0 12px;
    min-height: {button - 20}px; selection-background-color: {p.accent};
    selection-color: {p.on_state}; placeholder-text-color: {p.quiet}; }}
QLineEdit:focus {{ border: 2px solid {p.accent}; }}
QLineEdit[state="danger"] {{ border: 2px solid {p.danger}; }}
QLineEdit:disabled {{ background: {p.ground}; }}
QPlainTextEdit {{
    background: {p.panel}; border: 1px solid {p.line};
    font-family: "{MONO_FAMILY}"; font-size: {size.small}px; }}

QAbstractItemView {{
    background: {p.panel}; alternate-background-color: {p.ground};
    border: 1px solid {p.line}; border-radius: 6px; gridline-color: {p.line};
    selection-background-color: {p.accent}; selection-color: {p.on_state};
    font-size: {size.small}px; outline: 0; }}
QAbstractItemView:focus {{ border-color: {p.accent}; }}
QListView::item {{ min-height: {button}px; padding: 0 10px; }}
QListView::item:disabled {{ color: {p.quiet}; }}
QTableView::item {{ padding: 0 6px; }}
QListView::item:selected, QTableView::item:selected {{
    background: {p.accent}; color: {p.on_state}; }}
QHeaderView {{ background: {p.panel}; border: none; }}
QHeaderView::section {{
    background: {p.panel}; color: {p.quiet}; border: none;
    border-bottom: 1px solid {p.line}; padding: 8px 8px; font-size: {size.small}px; }}
QTableCornerButton::section {{ background: {p.panel}; border: none; }}

QFrame[role="check"] {{
    background: {p.panel}; border: 2px solid {p.panel}; border-radius: 6px; }}
QFrame[role="check"][state="chosen"] {{ border-color: {p.accent}; }}
QScrollArea {{ background: transparent; border: none; }}
QProgressBar {{
    background: {p.line}; border: none; border-radius: 4px; min-height: 16px; max-height: 16px; }}
QProgressBar::chunk {{ background: {p.accent}; border-radius: 4px; }}

QScrollBar:vertical {{ background: {p.panel}; width: 18px; margin: 0; }}
QScrollBar:horizontal {{ background: {p.panel}; height: 18px; margin: 0; }}
QScrollBar::handle {{ background: {p.line}; border-radius: 5px; margin: 3px;
    min-height: 40px; min-width: 40px; }}
QScrollBar::handle:hover {{ background: {p.quiet}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: none; }}

QSlider::groove:horizontal {{ background: {p.line}; height: 8px; border-radius: 4px; }}
QSlider::sub-page:horizontal {{ background: {p.accent}; border-radius: 4px; }}
QSlider::handle:horizontal {{
    background: {p.text}; width: 24px; margin: -14px 0; border-radius: 6px; }}
QSplitter::handle {{ background: {p.ground}; }}
QSplitter::handle:hover {{ background: {p.line}; }}
"""
