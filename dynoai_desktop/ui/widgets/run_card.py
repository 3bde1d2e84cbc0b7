"""The card of this pull or the last one, of what was counted, and of the quality so far."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.run_words import CardWords, QualityWords, RunWords
from dynoai_desktop.ui.theme import CAP_HEIGHT, font
from dynoai_desktop.ui.widgets.text_column import Piece, TextColumn

_PEAK_PX, _SCORE_PX = 40, 40  # digit heights at scale 1
_WIDTH = 360
_MARGIN = 12.0
_SHARES = (1.0, 0.88, 0.77, 0.66, 0.55)  # of the type sizes asked for
_NO_RUN = (
    "The next pull will be here: its peaks, the leanest place, how it compares with the last and "
    "what it added. It is found by itself: throttle wide open and engine speed rising."
)


class RunCard(QWidget):
    """Paints CardWords; nothing is painted when nothing changed."""

    def __init__(self, look: Look) -> None:
        """Start without a run."""
        super().__init__()
        self._look = self._fitted = look
        self.words: CardWords | None = None
        self.setAccessibleName("This pull or the last one")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        """Return the size at which everything has room."""
        return QSize(round(_WIDTH * self._look.scale), round(640 * self._look.scale))

    def minimumSizeHint(self) -> QSize:
        """Return the least size that is worth having."""
        return QSize(180, 120)

    def set_look(self, look: Look) -> None:
        """Change palette and scale."""
        self._look = look
        self._fit()

    def show_words(self, words: CardWords | None) -> None:
        """Print a card; None is none."""
        if words != self.words:
            self.words = words
            run = words.run if words is not None else None
            self.setAccessibleDescription(run.title if run is not None else "")
            self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose the type size that fits."""
        self._fit()

    def _fit(self) -> None:
        """Make everything smaller until all of it has room, as far as it can still be read."""
        scratch = QPixmap(1, 1)
        painter = QPainter(scratch)
        for share in _SHARES:
            self._fitted = replace(self._look, scale=self._look.scale * share)
            if self._paint(painter).is_whole:
                break
        painter.end()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint from the top: the run, the session, the quality."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._look.palette.panel))
        self._paint(painter)
        painter.end()

    def _paint(self, painter: QPainter) -> TextColumn:
        look, words = self._fitted, self.words
        column = TextColumn(painter, QRectF(self.rect()).adjusted(_MARGIN, 8, -_MARGIN, -6))
        if words is None:
            return column
        gap = 5.0 * look.scale
        if words.run is None:
            self._paint_no_run(column)
        else:
            self._paint_run(column, words.run)
        column.rule(look.palette.line, gap)
        self._paint_session(column, words)
        if words.quality is not None:
            column.rule(look.palette.line, gap)
            self._paint_quality(column, words.quality)
        column.row(self._small(words.delay))
        return column

    def _paint_no_run(self, column: TextColumn) -> None:
        palette = self._fitted.palette
        column.row(Piece("No pull yet", self._title_face(), palette.text))
        column.paragraph(_NO_RUN, font(self._fitted.sizes.small), palette.quiet)

    def _paint_run(self, column: TextColumn, run: RunWords) -> None:
        palette, sizes = self._fitted.palette, self._fitted.sizes
        state = palette.accent if run.going_on else palette.quiet
        column.row(
            Piece(run.title, self._title_face(), palette.text),
            Piece(run.state, font(sizes.body), state, is_right=True),
        )
        large = _digits(_PEAK_PX, self._fitted)
        for peak in run.peaks:
            column.row(
                Piece(peak.value, large, palette.text),
                Piece(peak.unit, font(sizes.body), palette.text),
                Piece(peak.at, font(sizes.body), palette.quiet, is_right=True),
            )
            column.row(self._small(peak.change))
        if run.leanest:
            colour = palette.lean if run.leanest_is_lean else palette.text
            column.row(
                self._small("leanest"),
                Piece(run.leanest, font(sizes.body, bold=True), colour),
            )
            column.row(self._small(run.leanest_at))
        column.row(Piece(run.added, font(sizes.body), palette.text))
        column.row(self._small(run.accepted))
        self._paint_reasons(column, run.reasons, most_lines=2)

    def _paint_session(self, column: TextColumn, words: CardWords) -> None:
        palette, sizes = self._fitted.palette, self._fitted.sizes
        if words.off:
            column.row(Piece(f"! {words.off}", font(sizes.body, bold=True), palette.attention))
        column.row(
            Piece("Since the start", font(sizes.body, bold=True), palette.text),
        )
        column.row(self._small(words.accepted))
        self._paint_reasons(column, words.reasons, most_lines=4)

    def _paint_reasons(self, column: TextColumn, reasons: tuple[str, ...], most_lines: int) -> None:
        if reasons:
            text = "not counted: " + " · ".join(reasons)
            face = font(self._fitted.sizes.small)
            column.paragraph(text, face, self._fitted.palette.quiet, most_lines)

    def _paint_quality(self, column: TextColumn, quality: QualityWords) -> None:
        palette, sizes = self._fitted.palette, self._fitted.sizes
        colour = {"good": palette.good, "attention": palette.attention}.get(
            quality.state, palette.danger
        )
        column.row(
            Piece("Quality", font(sizes.body, bold=True), palette.text),
            Piece(quality.word, font(sizes.body), colour),
            Piece(quality.score, _digits(_SCORE_PX, self._fitted), colour, is_right=True),
        )
        colours = (palette.quiet, palette.accent, palette.line)
        for label, share in quality.parts:
            column.bar(label, font(sizes.small), share / 100.0, colours)

    def _small(self, text: str) -> Piece:
        return Piece(text, font(self._fitted.sizes.small), self._fitted.palette.quiet)

    def _title_face(self) -> QFont:
        return font(self._fitted.sizes.title, bold=True)


def _digits(pixels: float, look: Look) -> QFont:
    return font(pixels * look.scale / CAP_HEIGHT, bold=True)
