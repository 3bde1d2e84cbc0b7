"""How one wideband stands against its target, in words and colours."""

from __future__ import annotations

from dataclasses import dataclass

from dynoai_desktop.core.live.gates import GATE_TITLES
from dynoai_desktop.core.live.snapshot import Mixture
from dynoai_desktop.core.units import Display, Unit
from dynoai_desktop.ui.theme import Palette
from dynoai_desktop.ui.widgets.map_views import signed
from dynoai_desktop.ui.wording import glance, in_units

ON_TARGET, FAR_OFF = 0.03, 0.10  # shares of the target


@dataclass(frozen=True, slots=True)
class MixtureWords:
    """What a mixture tile prints beside its figure; "" where nothing is known."""

    target: str = ""
    error: str = ""  # whole per cent with its sign, without the unit
    word: str = ""  # on target, lean, very rich …
    note: str = ""  # why this reading does not count

    def colour(self, palette: Palette) -> str:
        """Return the colour of the error: blue is rich, orange lean, as on the map."""
        if self.word.endswith("lean"):
            return palette.lean
        return palette.rich if self.word.endswith("rich") else palette.good


def mixture_words(mixture: Mixture | None, display: Display) -> MixtureWords:
    """Return the words for a wideband; None: it was not heard just now.

    >>> words = mixture_words(Mixture(0.97, 0.88, 0.102, "tip_in"), Display())
    >>> words.target, words.error, words.word, words.note
    ('target 12.9', '+10', 'very lean', 'not counted: tip-in')
    """
    if mixture is None:
        return MixtureWords()
    note = ""
    if mixture.rejected:
        title = GATE_TITLES.get(mixture.rejected, mixture.rejected)
        note = f"not counted: {title[:1].lower()}{title[1:]}"
    if mixture.target is None or mixture.error is None:
        return MixtureWords(note=note)
    target = glance(*in_units(mixture.target, Unit.LAMBDA, display))
    return MixtureWords(
        f"target {target}", signed(100.0 * mixture.error, 0), _word(mixture.error), note
    )


def _word(error: float) -> str:
    if abs(error) < ON_TARGET:
        return "on target"
    side = "lean" if error > 0.0 else "rich"
    return side if abs(error) < FAR_OFF else f"very {side}"
