"""One big figure, legible at three metres, whose digits never jump."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.theme import CAP_HEIGHT, font
from dynoai_desktop.ui.wording import ABSENT

_MARGIN = 14.0
_SWATCH = 5.0
_LEFT, _RIGHT = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
_TOP, _BOTTOM = Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignBottom


class Numeral(QWidget):
    """A label on the left or, *stacked*, above; the figure flush right.

    The figure is as tall as asked for, or as the widest text it must hold (*template*) allows.
    Digits of the typeface are all equally wide, so a figure that ends at the same place keeps
    every digit in its place.
    """

    def __init__(
        self, title: str, template: str, digit_px: int, look: Look, stacked: bool = False
    ) -> None:
        """Start without a value. *digit_px* is the digit height at scale 1."""
        super().__init__()
        self._title, self._unit, self._note = title, "", ""
        self._text, self._is_stale = ABSENT, False
        self._template = template
        self._digit_px = digit_px
        self._stacked = stacked
        self._swatch: str | None = None
        self._look = look
        self._font = QFont()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(title)

    @property
    def text(self) -> str:
        """Return the figure as it is printed."""
        return self._text

    @property
    def note(self) -> str:
        """Return the small print: the age of a stale figure."""
        return self._note

    @property
    def unit(self) -> str:
        """Return the unit as it is printed."""
        return self._unit

    @property
    def is_stale(self) -> bool:
        """Return True when the figure is greyed."""
        return self._is_stale

    def set_look(self, look: Look) -> None:
        """Change palette and scale."""
        self._look = look
        self._fit()
        self.update()

    def set_label(self, title: str, swatch: str | None) -> None:
        """Change the label and the colour of the curve it belongs to."""
        if (title, swatch) != (self._title, self._swatch):
            self._title, self._swatch = title, swatch
            self.setAccessibleName(title)
            self._fit()
            self.update()

    def set_digit_px(self, digit_px: int) -> None:
        """Change the digit height wanted at scale 1."""
        self._digit_px = digit_px
        self._fit()
        self.update()

    def show_value(self, text: str, unit: str, note: str = "", is_stale: bool = False) -> None:
        """Print a figure; nothing is painted when nothing changed."""
        if (text, unit, note, is_stale) == (self._text, self._unit, self._note, self._is_stale):
            return
        other_unit = unit != self._unit
        self._text, self._unit, self._note, self._is_stale = text, unit, note, is_stale
        if other_unit:
            self._fit()
        self.setAccessibleDescription(f"{text} {unit} {note}".strip())
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size at which the figure has its full height."""
        height = self._digit_px * self._look.scale
        width = 4 if self._stacked else 5
        return QSize(round(height * width), round(height * 1.35 + self._head()))

    def minimumSizeHint(self) -> QSize:
        """Return the size below which the figure is hard to read."""
        return QSize(80 if self._stacked else 150, 44)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose the type size that fits."""
        self._fit()

    def _fit(self) -> None:
        beside = 0.0 if self._stacked else self._side_width()
        wanted = self._digit_px * max(self._look.scale, 0.6)
        room = self.height() - self._head() - self._foot()
        digit_px = min(wanted, room * (0.86 if self._stacked else 0.76))
        self._font = font(digit_px / CAP_HEIGHT, bold=True)
        width = self._figure_width()
        room = self.width() - 2 * _MARGIN - beside
        if width > room > 0:
            self._font = font(self._font.pixelSize() * room / width, bold=True)

    def _figure_width(self) -> float:
        """Return the width kept for the figure on the right."""
        return QFontMetricsF(self._font).horizontalAdvance(self._template)

    def _head(self) -> float:
        """Return the height that is kept free above the figure."""
        return self._look.sizes.body * 1.4 + 6 if self._stacked else 0.0

    def _foot(self) -> float:
        """Return the height that is kept free below the figure."""
        return 0.0

    def _side_width(self) -> float:
        """Return the width that is kept free on the left."""
        title = QFontMetricsF(self._label_font()).horizontalAdvance(self._title)
        unit = QFontMetricsF(font(self._look.sizes.small)).horizontalAdvance(self._unit)
        return max(title, unit)

    def _label_font(self) -> QFont:
        return font(self._look.sizes.body * 1.15, bold=True)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint label, unit, age and figure."""
        palette = self._look.palette
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(palette.panel))
        if self._swatch:
            painter.fillRect(QRectF(0, 8, _SWATCH, self.height() - 16), QColor(self._swatch))
        self._paint_words(painter, QRectF(self.rect()).adjusted(_MARGIN, 6, -_MARGIN, -6))
        faint = self._is_stale or self._text == ABSENT
        painter.setFont(self._font)
        painter.setPen(QColor(palette.quiet if faint else palette.text))
        # The digits, not the line with its ascent, are centred.
        metrics = QFontMetricsF(self._font)
        middle = (self._head() + self.height() - self._foot() - (4 if self._stacked else 0)) / 2
        baseline = middle + self._font.pixelSize() * CAP_HEIGHT / 2
        right = self.width() - _MARGIN - metrics.horizontalAdvance(self._text)
        painter.drawText(round(right), round(baseline), self._text)
        painter.end()

    def _paint_words(self, painter: QPainter, box: QRectF) -> None:
        """Paint everything but the figure."""
        palette, sizes = self._look.palette, self._look.sizes
        painter.setFont(self._label_font())
        painter.setPen(QColor(palette.text))
        painter.drawText(box, _LEFT | _TOP, self._title)
        painter.setFont(font(sizes.small))
        painter.setPen(QColor(palette.quiet))
        if self._stacked:
            # In the foot the age would stand under the digits; it matters more than the unit.
            painter.drawText(box, _RIGHT | _TOP, self._note or self._unit)
            return
        under = box.adjusted(0, sizes.body * 1.5, 0, 0)
        painter.drawText(under, _LEFT | _TOP, self._unit)
        painter.drawText(box, _LEFT | _BOTTOM, self._note)
