"""The left rail: the workflow from top to bottom, each page with its state."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.marks import PageMark, Standing
from dynoai_desktop.ui.theme import BUTTON_PX, font

_WIDTH = 196  # at scale 1
_LEAST_WIDTH = 144  # two buttons at the foot, each for a glove
_FOOT_COLUMNS = 2


class RailButton(QAbstractButton):
    """Key and title, and under it sign and word of the page's state."""

    def __init__(self, key: str, title: str, look: Look) -> None:
        """Show *title* with the *key* that opens it."""
        super().__init__()
        self._key, self._title, self._look = key, title, look
        self._mark: PageMark | None = None
        self.setCheckable(True)
        self.setAccessibleName(f"{title}, key {key}")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def mark(self) -> PageMark | None:
        """Return the state shown."""
        return self._mark

    def set_mark(self, mark: PageMark) -> None:
        """Show another state."""
        if mark != self._mark:
            self._mark = mark
            self.setAccessibleDescription(mark.word)
            self.update()

    def set_look(self, look: Look) -> None:
        """Change palette and scale."""
        self._look = look
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size for gloves."""
        sizes = self._look.sizes
        width = max(_LEAST_WIDTH, round(_WIDTH * self._look.scale))
        if self._mark is None:
            width //= _FOOT_COLUMNS
        return QSize(width, max(BUTTON_PX, round(sizes.body * 1.5 + sizes.small * 1.6 + 16)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the button: the page in front has a bar and shares the page's ground."""
        palette = self._look.palette
        painter = QPainter(self)
        if self.isChecked():
            painter.fillRect(self.rect(), QColor(palette.ground))
            painter.fillRect(QRectF(0, 0, 5, self.height()), QColor(palette.accent))
        if self.hasFocus() or self.underMouse():
            painter.setPen(QColor(palette.accent if self.hasFocus() else palette.line))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        if self._mark is None:
            self._paint_small(painter)
        else:
            self._paint_step(painter, self._mark)
        painter.end()

    def _paint_small(self, painter: QPainter) -> None:
        """Paint a page outside the workflow: its key over its title."""
        palette, sizes = self._look.palette, self._look.sizes
        upper, lower = self._halves(5)
        middle = Qt.AlignmentFlag.AlignCenter
        painter.setFont(font(sizes.small))
        painter.setPen(QColor(palette.quiet))
        painter.drawText(upper, middle, self._key)
        painter.setPen(QColor(palette.text))
        painter.drawText(lower, middle, self._title)

    def _halves(self, left: float) -> tuple[QRectF, QRectF]:
        box = QRectF(self.rect()).adjusted(left, 0, -1, 0)
        upper = box.adjusted(0, 6, 0, -self.height() * 0.45)
        return upper, box.adjusted(0, self.height() * 0.5, 0, -6)

    def _paint_step(self, painter: QPainter, mark: PageMark) -> None:
        """Paint a step of the workflow: key and title, sign and word of its state."""
        palette, sizes = self._look.palette, self._look.sizes
        upper, lower = self._halves(16)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(font(sizes.small))
        painter.setPen(QColor(palette.quiet if not self.isChecked() else palette.text))
        indent = painter.fontMetrics().horizontalAdvance(self._key) + sizes.small * 0.7
        painter.drawText(upper, middle, self._key)
        painter.setFont(font(sizes.body, bold=self.isChecked()))
        painter.setPen(QColor(palette.text))
        painter.drawText(upper.adjusted(indent, 0, 0, 0), middle, self._title)
        painter.setFont(font(sizes.small))
        painter.setPen(QColor(_colour(mark.standing, self._look)))
        text = f"{mark.sign} {mark.word}"
        painter.drawText(lower.adjusted(indent, 0, 0, 0), middle, text)


class Rail(QWidget):
    """The buttons of all pages; those without a state stand at the foot."""

    chosen = Signal(str)

    def __init__(self, look: Look) -> None:
        """Start empty."""
        super().__init__()
        self._look = look
        self._buttons: dict[str, RailButton] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 8, 0, 8)
        self._column.setSpacing(4)
        self._column.addStretch(1)
        self._foot = QGridLayout()
        self._foot.setSpacing(0)
        self._column.addLayout(self._foot)
        self._pages = 0
        self.setProperty("role", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)

    def add_page(self, page: str, key: str, title: str, mark: PageMark | None) -> None:
        """Add a button: a step of the workflow where there is a state, else at the foot."""
        button = RailButton(key, title, self._look)
        button.clicked.connect(lambda: self.chosen.emit(page))
        if mark is not None:
            button.set_mark(mark)
            self._column.insertWidget(self._pages, button)
            self._pages += 1
        else:
            at = self._foot.count()
            self._foot.addWidget(button, at // _FOOT_COLUMNS, at % _FOOT_COLUMNS)
        self._buttons[page] = button

    def button(self, page: str) -> RailButton:
        """Return the button of a page."""
        return self._buttons[page]

    def show_page(self, page: str) -> None:
        """Mark the page in front."""
        for name, button in self._buttons.items():
            button.setChecked(name == page)

    def set_look(self, look: Look) -> None:
        """Change palette and scale."""
        self._look = look
        for button in self._buttons.values():
            button.set_look(look)


def _colour(standing: Standing, look: Look) -> str:
    palette = look.palette
    return {
        Standing.PLAIN: palette.quiet,
        Standing.READY: palette.good,
        Standing.ATTENTION: palette.attention,
        Standing.BLOCKED: palette.danger,
    }[standing]
