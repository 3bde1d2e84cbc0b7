"""A wideband's big figure with its target, how far it is off, and why it may not count."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from dynoai_desktop.ui.mixture_words import MixtureWords
from dynoai_desktop.ui.theme import CAP_HEIGHT, font
from dynoai_desktop.ui.widgets.numeral import Numeral

_WIDEST_ERROR = "+88"
_ERROR_SHARE = 0.58  # of the figure's height
_GAP = 8.0
_LEFT, _TOP, _BOTTOM = (
    Qt.AlignmentFlag.AlignLeft,
    Qt.AlignmentFlag.AlignTop,
    Qt.AlignmentFlag.AlignBottom,
)


class MixtureTile(Numeral):
    """The error stands to the left of the figure, in the colours of the map, with its word."""

    words = MixtureWords()

    def show_words(self, words: MixtureWords) -> None:
        """Print target, error and note; nothing is painted when nothing changed."""
        if words == self.words:
            return
        self.words = words
        self.update()

    def _foot(self) -> float:
        return self._look.sizes.small * 1.25

    def _side_width(self) -> float:
        error = QFontMetricsF(self._error_font()).horizontalAdvance(_WIDEST_ERROR)
        per_cent = QFontMetricsF(font(self._look.sizes.body)).horizontalAdvance(" %")
        return error + per_cent + _GAP

    def _error_font(self) -> QFont:
        digit_px = self._digit_px * max(self._look.scale, 0.6)
        highest = (self.height() - self._foot()) * 0.76
        return font(min(digit_px, highest) * _ERROR_SHARE / CAP_HEIGHT, bold=True)

    def _paint_words(self, painter: QPainter, box: QRectF) -> None:
        palette, sizes, words = self._look.palette, self._look.sizes, self.words
        painter.setFont(self._label_font())
        painter.setPen(QColor(palette.text))
        painter.drawText(box, _LEFT | _TOP, self._title)
        beside = painter.fontMetrics().horizontalAdvance(self._title) + sizes.small * 0.8
        painter.setFont(font(sizes.small))
        painter.setPen(QColor(palette.quiet))
        room = self.width() - 2 * _GAP - self._figure_width() - box.left() - beside
        for target in (words.target, words.target.removeprefix("target ")):
            if painter.fontMetrics().horizontalAdvance(target) <= room:
                painter.drawText(box.adjusted(beside, 2, 0, 0), _LEFT | _TOP, target)
                break
        self._paint_foot(painter, box)
        if not words.error or self._is_stale:
            return
        painter.setPen(QColor(palette.quiet if words.note else words.colour(palette)))
        face = self._error_font()
        painter.setFont(face)
        width = QFontMetricsF(face).horizontalAdvance(words.error)
        middle = (self.height() + sizes.body * 1.2 - self._foot()) / 2
        baseline = middle + face.pixelSize() * CAP_HEIGHT / 2
        painter.drawText(round(box.left()), round(baseline), words.error)
        painter.setFont(font(sizes.body))
        painter.drawText(round(box.left() + width), round(baseline), " %")

    def _paint_foot(self, painter: QPainter, box: QRectF) -> None:
        """Paint the word of the error and why the reading does not count, or how old it is."""
        words, palette, small = self.words, self._look.palette, self._look.sizes.small
        # A reading that does not count is no reason to look up.
        colour = palette.quiet if words.note else words.colour(palette)
        pieces = [(words.word, colour, True), (words.note, palette.quiet, False)]
        x = 0.0
        for text, colour, bold in [(self._note, palette.quiet, False)] if self._note else pieces:
            if text:
                painter.setFont(font(small, bold=bold))
                painter.setPen(QColor(colour))
                painter.drawText(box.adjusted(x, 0, 0, 0), _LEFT | _BOTTOM, text)
                x += painter.fontMetrics().horizontalAdvance(text) + small * 0.8
