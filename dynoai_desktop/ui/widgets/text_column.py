"""Lines of text painted one under another, as many as fit."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

_LINE = 1.3  # height of a line, in type sizes
_WRAP = Qt.TextFlag.TextWordWrap
_VCENTRE = Qt.AlignmentFlag.AlignVCenter


class Piece(NamedTuple):
    """A word or two in one face and colour."""

    text: str
    face: QFont
    colour: str
    is_right: bool = False  # flush right, after everything else


class TextColumn:
    """Paints downwards from the top of a box; what has no room is left out."""

    def __init__(self, painter: QPainter, box: QRectF) -> None:
        """Begin at the top."""
        self._painter, self._box = painter, box
        self.y = box.top()
        self.is_whole = True  # False once something had no room

    @property
    def room(self) -> float:
        """Return the height that is left."""
        return self._box.bottom() - self.y

    def space(self, pixels: float) -> None:
        """Leave a gap."""
        self.y += pixels

    def rule(self, colour: str, gap: float) -> None:
        """Paint a line across, with a gap above and below."""
        self.y += gap
        if self.room > gap:
            self._painter.fillRect(QRectF(self._box.left(), self.y, self._box.width(), 1),
                                   QColor(colour))  # fmt: skip
        self.y += gap + 1

    def row(self, *pieces: Piece) -> bool:
        """Paint pieces side by side on one line; return False where there was no room."""
        shown = [piece for piece in pieces if piece.text]
        if not shown:
            return True
        height = max(piece.face.pixelSize() for piece in shown) * _LINE
        if height > self.room + 1:
            self.is_whole = False
            return False
        baseline = self.y + height * 0.76
        x, right = self._box.left(), self._box.right()
        for piece in shown:
            metrics = QFontMetricsF(piece.face)
            left = right - metrics.horizontalAdvance(piece.text) if piece.is_right else x
            left = max(left, x)
            text = metrics.elidedText(piece.text, Qt.TextElideMode.ElideRight, right - left)
            self._painter.setFont(piece.face)
            self._painter.setPen(QColor(piece.colour))
            self._painter.drawText(round(left), round(baseline), text)
            x = left + metrics.horizontalAdvance(text) + piece.face.pixelSize() * 0.4
        self.y += height
        return True

    def paragraph(self, text: str, face: QFont, colour: str, most_lines: int = 99) -> bool:
        """Paint wrapped text; return False where there was no room for all of it."""
        metrics = QFontMetricsF(face)
        line = metrics.lineSpacing()
        lines = min(most_lines, int((self.room + 1) / line))
        if lines < 1:
            return False
        room = QRectF(self._box.left(), self.y, self._box.width(), lines * line)
        needed = metrics.boundingRect(QRectF(0, 0, room.width(), 1e5), _WRAP, text).height()
        self._painter.save()
        self._painter.setClipRect(room, Qt.ClipOperation.IntersectClip)
        self._painter.setFont(face)
        self._painter.setPen(QColor(colour))
        self._painter.drawText(room, _WRAP, text)
        self._painter.restore()
        self.y += min(needed, room.height())
        return needed <= room.height() + 1

    def bar(self, label: str, face: QFont, share: float, colours: tuple[str, str, str]) -> bool:
        """Paint a labelled bar, *share* 0 to 1 long; colours are text, bar and ground."""
        height = face.pixelSize() * _LINE
        if height > self.room + 1:
            self.is_whole = False
            return False
        ink, fill, ground = colours
        line = QRectF(self._box.left(), self.y, self._box.width(), height)
        self._painter.setFont(face)
        self._painter.setPen(QColor(ink))
        self._painter.drawText(line, _VCENTRE, label)
        left = self._box.left() + face.pixelSize() * 6.5
        number = QRectF(self._box.right() - face.pixelSize() * 2.2, self.y,
                        face.pixelSize() * 2.2, height)  # fmt: skip
        text = f"{100.0 * share:.0f}"
        self._painter.drawText(number, _VCENTRE | Qt.AlignmentFlag.AlignRight, text)
        bar = QRectF(left, self.y + height * 0.36, number.left() - left - 6, height * 0.28)
        self._painter.fillRect(bar, QColor(ground))
        bar.setWidth(bar.width() * min(max(share, 0.0), 1.0))
        self._painter.fillRect(bar, QColor(fill))
        self.y += height
        return True
