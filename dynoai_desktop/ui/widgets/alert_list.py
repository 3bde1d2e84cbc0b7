"""Everything that is up, worst first, and what cannot be watched, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from dynoai_desktop.ui.alerts import SIGNS, AlertGroup
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import Severity
from dynoai_desktop.ui.theme import Palette, font
from dynoai_desktop.ui.widgets.text_column import Piece, TextColumn
from dynoai_desktop.ui.wording import age

_MARGIN = 12.0
_NONE = "No alert is up."


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One group as the list prints it."""

    sign: str
    heading: str
    message: str
    state: str  # how long ago, how often, read or not
    severity: Severity


def alert_rows(groups: Sequence[AlertGroup], now_s: float) -> tuple[AlertRow, ...]:
    """Return the rows for the alerts that are up at *now_s*, Unix time."""
    rows = []
    for group in groups:
        ago = max(now_s - group.raised_s, 0.0)
        words = [f"{age(ago) if ago >= 60.0 else f'{ago:.0f} s'} ago"]
        words += [f"{group.times} times"] if group.times > 1 else []
        words += ["still true" if group.is_active else "over"]
        words += ["read"] if group.is_read else []
        severity = group.shown_as
        rows.append(
            AlertRow(SIGNS[severity], group.heading, group.message, " · ".join(words), severity)
        )
    return tuple(rows)


class AlertList(QWidget):
    """Paints the rows that fit and says how many do not."""

    def __init__(self, look: Look) -> None:
        """Start with nothing up."""
        super().__init__()
        self._look = look
        self.rows: tuple[AlertRow, ...] = ()
        self.gaps: tuple[str, ...] = ()  # what is off or not watched, a sentence each
        self.setAccessibleName("Alerts")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def minimumSizeHint(self) -> QSize:
        """Return the least size that is worth having."""
        return QSize(180, 120)

    def set_look(self, look: Look) -> None:
        """Change palette and scale."""
        self._look = look
        self.update()

    def show_rows(self, rows: tuple[AlertRow, ...], gaps: tuple[str, ...]) -> None:
        """Print other rows; nothing is painted when nothing changed."""
        if (rows, gaps) != (self.rows, self.gaps):
            self.rows, self.gaps = rows, gaps
            said = [f"{row.heading}: {row.message}" for row in rows]
            self.setAccessibleDescription(" ".join((*said, *gaps)))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint from the top, the worst first."""
        palette, sizes = self._look.palette, self._look.sizes
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(palette.panel))
        column = TextColumn(painter, QRectF(self.rect()).adjusted(_MARGIN, 8, -_MARGIN, -6))
        quiet = font(sizes.small)
        column.row(
            Piece("Alerts", font(sizes.title, bold=True), palette.text),
            Piece("[A] read   [F8] close", quiet, palette.quiet, is_right=True),
        )
        if not self.rows:
            column.row(Piece(_NONE, font(sizes.body), palette.text))
        kept = sizes.small * 1.6  # for the line that says what had no room
        for at, row in enumerate(self.rows):
            if column.room < kept + sizes.body * 4.2:
                column.row(Piece(f"and {len(self.rows) - at} more", quiet, palette.quiet))
                break
            self._paint_row(column, row)
        if self.gaps:
            column.rule(palette.line, 5.0 * self._look.scale)
            column.row(Piece("Off or not watched", font(sizes.body, bold=True), palette.text))
        for gap in self.gaps:
            if not column.paragraph(gap, quiet, palette.quiet):
                break
            column.space(sizes.small * 0.3)
        painter.end()

    def _paint_row(self, column: TextColumn, row: AlertRow) -> None:
        palette, sizes = self._look.palette, self._look.sizes
        face = font(sizes.body, bold=True)
        column.row(Piece(f"{row.sign} {row.heading}", face, severity_colour(row.severity, palette)))
        column.paragraph(row.message, font(sizes.small), palette.text, most_lines=3)
        column.row(Piece(row.state, font(sizes.small), palette.quiet))
        column.space(sizes.small * 0.4)


def severity_colour(severity: Severity, palette: Palette) -> str:
    """Return the state colour of a severity."""
    colours = {Severity.DANGER: palette.danger, Severity.ATTENTION: palette.attention}
    return colours.get(severity, palette.text)
