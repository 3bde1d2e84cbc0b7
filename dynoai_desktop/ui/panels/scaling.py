"""What the values of one source mean: the form, and what it makes of the live value."""

from __future__ import annotations

from PySide6.QtCore import Signal

from dynoai_desktop.core.channels import Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.channel_map import Binding
from dynoai_desktop.core.trust.health import BusHealth
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.panels.mapping_words import point_words
from dynoai_desktop.ui.scales import Scale, scale_of, transform_of, units_for
from dynoai_desktop.ui.widgets.scale_form import ScaleForm
from dynoai_desktop.ui.wording import plain


class Scaling(ScaleForm):
    """Open for one source at a time; what makes no scale is refused with a sentence."""

    decided = Signal(object, object, object)  # Channel, ChannelInfo, Transform

    def __init__(self, look: Look) -> None:
        """Start closed."""
        super().__init__()
        self.look = look
        self._for: tuple[Channel, ChannelInfo] | None = None
        self._health = BusHealth(now_us=0)
        self.applied.connect(self._decide)
        self.changed.connect(self._show_meaning)

    def begin(self, binding: Binding, health: BusHealth) -> None:
        """Ask for the scale of a source, starting from the one in force."""
        self._for, self._health = (binding.channel, binding.source), health
        scale = scale_of(binding, self.look.display)
        title = f"What “{plain(binding.source.name)}” means"
        self.open(title, binding.source.unit, scale, units_for(binding.channel))

    def show_health(self, health: BusHealth) -> None:
        """Follow the live value."""
        self._health = health
        if self.isVisible():
            self._show_meaning()

    def _decide(self, scale: Scale) -> None:
        if self._for is None:
            return
        channel, source = self._for
        try:
            channel, transform = transform_of(channel, scale)
        except ValueError as error:
            self.refuse(str(error))
        else:
            self.decided.emit(channel, source, transform)

    def _show_meaning(self) -> None:
        self.show_live(self._meaning())

    def _meaning(self) -> str:
        """Return what the live value would mean; "" while that cannot be said."""
        if self._for is None:
            return ""
        channel, source = self._for
        key = source.provider, source.id
        heard = (c.value for c in self._health.channels if (c.provider, c.id) == key)
        value = next(heard, None)
        try:
            channel, transform = transform_of(channel, self.scale)
        except ValueError:
            return ""
        if value is None:
            return ""
        return f"now {point_words(Binding(channel, source, transform, 1.0), value, self.look)}"
