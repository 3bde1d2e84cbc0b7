"""A table of a tune as a map: the same cells, colours and scale as the live map, nothing moving."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.widgets.map_picture import MapPicture
from dynoai_desktop.ui.widgets.map_views import Layer, MapStyle


class TableMap(QWidget):
    """Draws the layer it was shown last."""

    def __init__(self, look: Look) -> None:
        """Start empty."""
        super().__init__()
        self._look = look
        self._shown: tuple[Layer, MapStyle] | None = None
        self._picture: MapPicture | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Table of engine speed and load")

    @property
    def layer(self) -> Layer | None:
        """Return what is drawn."""
        return None if self._shown is None else self._shown[0]

    def minimumSizeHint(self) -> QSize:
        """Return the size below which cells cannot be told apart."""
        return QSize(320, 180)

    def show_layer(self, layer: Layer | None, style: MapStyle | None = None) -> None:
        """Draw *layer* as *style* says; None empties the map."""
        self._shown = None if layer is None or style is None else (layer, style)
        self._picture = None
        self.update()

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        self._look = look
        self._picture = None
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Copy the kept picture; make it anew for another size."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._look.palette.panel))
        if self._shown is not None:
            layer, style = self._shown
            ratio, size = self.devicePixelRatioF(), self.size()
            picture = self._picture
            if picture is None or not picture.suits(layer, style, self._look, size, ratio):
                picture = self._picture = MapPicture(layer, style, self._look, size, ratio)
            painter.drawPixmap(0, 0, picture.pixmap)
        painter.end()
