"""What the mapping page says beside its table: about one quantity, and about all together."""

from __future__ import annotations

from collections.abc import Sequence

from dynoai_desktop.core.channels import CHANNELS, Channel
from dynoai_desktop.core.samples import ChannelInfo
from dynoai_desktop.core.trust.channel_map import Binding
from dynoai_desktop.core.trust.health import ProviderHealth
from dynoai_desktop.core.trust.mapping import REQUIRED
from dynoai_desktop.core.trust.scoring import slot_of
from dynoai_desktop.core.trust.transforms import IDENTITY
from dynoai_desktop.ui.foreign import foreign_words
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.messages import MappingState
from dynoai_desktop.ui.panels.mapping_rows import MappingRow, Standing
from dynoai_desktop.ui.panels.offer_rows import OfferRow
from dynoai_desktop.ui.scales import line_ends
from dynoai_desktop.ui.wording import count, in_sentence, in_units, measured, plain

# What stands in the way of a run when a group of REQUIRED is empty.
MISSING_WORDS: dict[str, str] = {
    "rpm": "engine speed is missing",
    "afr_or_lambda": "no wideband is known",
    "map_kpa": "manifold pressure is missing, and so is the throttle that could stand in for it",
}
_NOT_ANNOUNCED = (
    "No announced channel fits. Enable it in Power Core's JetDrive settings, or choose a source."
)


EMPTY_WORDS = (
    "The channels and what they are will be listed here",
    "For every quantity the program names its source, how sure it is, and why. It begins as soon "
    "as a dyno is heard.",
    "Go to Connect  [1]",
)


def source_words(info: ChannelInfo) -> str:
    """Return name, unit and origin of a channel."""
    unit = info.unit.value or "no unit"
    return f"“{plain(info.name)}” in {unit}, channel {info.id} of {plain(info.provider)}"


def scale_words(binding: Binding, look: Look) -> str:
    """Return what is done to the values of a source."""
    transform = binding.transform
    if transform == IDENTITY:
        return "Values are used as they are sent."
    if transform.name != "linear":
        return f"Values are converted: {transform.name.replace('_', ' ')}."
    points = (point_words(binding, x, look) for x in line_ends(binding.source.unit))
    return f"Values lie on a straight line: {', '.join(points)}."


def point_words(binding: Binding, sent: float, look: Look) -> str:
    """Return what one value of a source means, as the tuner reads it."""
    unit = binding.source.unit.value
    value = binding.transform.apply(sent)
    shown, shown_in = in_units(value, CHANNELS[binding.channel].unit, look.display)
    return f"{measured(sent)} {unit}".rstrip() + f" → {measured(shown)} {shown_in.value}".rstrip()


def row_words(row: MappingRow, look: Look) -> list[str]:
    """Return what is known about one quantity, a paragraph each."""
    said: list[str] = []
    binding, choice = row.binding, row.choice
    if binding is not None:
        said += [source_words(binding.source), scale_words(binding, look)]
        said += [f"· {plain(reason)}" for reason in binding.reasons]
    if choice is not None and choice.enabled and not (binding and binding.chosen):
        said.append(f"! “{plain(choice.name)}”, which was chosen, cannot be found.")
    if row.rivals:
        said.append("? It could be any of these; choose one:")
        said += [f"· {source_words(info)}" for info in row.rivals]
    if row.standing is Standing.EMPTY:
        said.append("Left empty on your wish.")
    elif row.standing is Standing.MISSING:
        said += [f"× {_needed_words(row.slot)}", _NOT_ANNOUNCED]
    elif row.standing is Standing.RECOMMENDED:
        said += ["! Recommended: without it some results stay empty.", _NOT_ANNOUNCED]
    elif row.standing is Standing.NONE:
        said.append("No announced channel fits.")
    said += [f"“{plain(r.source.name)}” was left out: {plain(r.reason)}." for r in row.rejected]
    return said


def _needed_words(slot: Channel) -> str:
    group = next(group for group in REQUIRED.values() if slot in group)
    if len(group) == 1:
        return "A run cannot do without it."
    titles = [in_sentence(CHANNELS[c].title) for c in CHANNELS if c in group]
    return f"A run needs one of {', '.join(titles)}."


def offer_words(row: OfferRow, slot: Channel) -> list[str]:
    """Return what speaks for a channel as the source of *slot*, a paragraph each."""
    offer = row.offer
    said = [source_words(offer.source), *(f"· {plain(r)}" for r in offer.reasons)]
    if offer.used_as is not None and slot_of(offer.used_as) is slot:
        said.append("✓ This is the source now.")
    elif offer.used_as is not None:
        said.append(f"! It is used as {in_sentence(CHANNELS[offer.used_as].title)} now.")
    return said


def summary_words(state: MappingState) -> tuple[str, str, str]:
    """Return how the mapping is doing: one word, one line, and a state of the style sheet."""
    mapping = state.channel_map
    if not mapping.signature:
        return "Mapping", "", ""
    many = f"{count(len(mapping.bindings), 'channel')} mapped"
    if mapping.unmapped_required:
        what = "; ".join(MISSING_WORDS[name] for name in mapping.unmapped_required)
        return "× Not ready", f"{many}; {what}.", "danger"
    asked = ", ".join(in_sentence(CHANNELS[c].title) for c in mapping.ambiguous)
    sure = f"{many}, {mapping.overall_confidence:.0%} sure"
    if mapping.ready:
        return "✓ Ready", f"{sure}; ambiguous: {asked}." if asked else f"{sure}.", "good"
    if asked:
        return "? Ambiguous", f"{many}; choose the source of: {asked}.", "attention"
    return "! Not sure", f"{sure}. Compare live values with a gauge.", "attention"


def news_words(state: MappingState, providers: Sequence[ProviderHealth]) -> str:
    """Return what became of the last wish, what is heard and not used, and what to know."""
    news = (
        plain(state.message),
        foreign_words(providers, state.pinned),
        *(f"{plain(notice).rstrip('.')}." for notice in state.channel_map.notices),
    )
    return "  ".join(text for text in news if text)
