"""What the data allow, how the time was spent, what was left out, and how sure the tune is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from dynoai_desktop.core.tune.clipboard import Layout
from dynoai_desktop.ui.look import Look
from dynoai_desktop.ui.panels.analyse_section import Section, tsv
from dynoai_desktop.ui.panels.analyse_words import (
    MODES,
    REASONS,
    REGIONS,
    STATES,
    delay_words,
    said,
)
from dynoai_desktop.ui.widgets.bar_rows import BarRow, BarRows
from dynoai_desktop.ui.widgets.card import Card, plain_label
from dynoai_desktop.ui.widgets.elided import set_state
from dynoai_desktop.ui.wording import count, number

if TYPE_CHECKING:
    from dynoai_desktop.core.analysis.payload import Payload


class Overview(Section):
    """Three columns of cards."""

    def __init__(self, look: Look) -> None:
        """Start empty."""
        super().__init__(look)
        self._payload: Payload | None = None
        self.band = plain_label()
        self.features = QGridLayout()
        self._feature_rows: list[tuple[QLabel, QLabel, QLabel]] = []
        self.warnings = plain_label()
        self.modes = BarRows(look, "How the time was spent")
        self.delay = plain_label()
        self.rejects = BarRows(look, "Samples left out")
        self.taken = plain_label()
        self.score = plain_label("verdict", wraps=False)
        self.grade = plain_label("small")
        self.regions = BarRows(look, "Tune confidence by region")
        self.doubts = plain_label()
        self._lay_out()

    def _lay_out(self) -> None:
        allowed = Card("What the data allow")
        rows = QWidget()
        rows.setLayout(self.features)
        self.features.setContentsMargins(0, 0, 0, 0)
        self.features.setVerticalSpacing(2)
        self.features.setColumnStretch(1, 1)
        allowed.add(self.band, rows)
        allowed.close_up()
        warned = Card("To know before you believe it")
        warned.add(self.warnings)
        warned.close_up()
        sure = Card("Tune confidence")
        sure.add(self.score, self.grade, self.regions, self.doubts)
        sure.close_up()
        spent = Card("How the time was spent")
        spent.add(self.modes)
        spent.close_up()
        delay = Card("Delay of the widebands")
        delay.add(self.delay)
        left_out = Card("Samples")
        left_out.add(self.taken, self.rejects)
        left_out.close_up()
        row = QHBoxLayout()
        row.setSpacing(8)
        columns: tuple[tuple[tuple[Card, int], ...], ...] = (
            ((allowed, 3), (warned, 1)),
            ((spent, 1), (delay, 0)),
            ((sure, 1), (left_out, 1)),
        )
        for cards in columns:
            column = QVBoxLayout()
            column.setSpacing(8)
            for card, stretch in cards:
                column.addWidget(card, stretch)
            row.addLayout(column, 1)
        # A log with every reason to leave something out is taller than a small window.
        inside = QWidget()
        inside.setLayout(row)
        row.setContentsMargins(0, 0, 0, 0)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(inside)
        inside.setProperty("role", "ground")
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)

    def set_look(self, look: Look) -> None:
        """Change palette, scale and units."""
        super().set_look(look)
        for bars in (self.modes, self.rejects, self.regions):
            bars.set_look(look)

    def show_payload(self, payload: Payload) -> None:
        """Print another analysis."""
        self._payload = payload
        self._show_readiness(payload)
        self._show_time(payload)
        self._show_samples(payload)
        self._show_confidence(payload)

    def _show_readiness(self, payload: Payload) -> None:
        readiness = payload.readiness
        self.band.setText(f"{readiness.band}: {100 * readiness.confidence:.0f} % of what it could")
        while len(self._feature_rows) < len(readiness.features):
            self._add_feature_row()
        for row, feature in zip(self._feature_rows, readiness.features, strict=False):
            sign, word, state = STATES.get(feature.state, ("?", feature.state, "quiet"))
            mark, title, why = row
            mark.setText(sign)
            set_state(mark, state)
            title.setText(f"{feature.title}: {word}")
            why.setText(feature.why)
        said_here = [w.message for w in payload.warnings]
        self.warnings.setText("\n".join(f"! {text}" for text in said_here) or "Nothing.")

    def _add_feature_row(self) -> None:
        mark, title, why = plain_label("heading", False), plain_label(), plain_label("small")
        at = 2 * len(self._feature_rows)
        self.features.addWidget(mark, at, 0)
        self.features.addWidget(title, at, 1)
        self.features.addWidget(why, at + 1, 1)
        self._feature_rows.append((mark, title, why))

    def _show_time(self, payload: Payload) -> None:
        spent = sorted(payload.mode_summary.items(), key=lambda item: -item[1]["duration_s"])
        self.modes.show_rows(
            [
                BarRow(
                    said(mode, MODES),
                    f"{number(f['duration_s'], 1)} s · {number(f['share_pct'], 0)} %",
                    f["share_pct"] / 100,
                )
                for mode, f in spent
            ]
        )
        self.delay.setText(delay_words(payload))

    def _show_samples(self, payload: Payload) -> None:
        rejected, accepted = payload.rejected, payload.accepted
        total = accepted + sum(rejected.values())
        share = 100 * accepted / total if total else 0.0
        self.taken.setText(
            f"{count(accepted, 'sample')} of {number(total, 0)} used ({share:.0f} %). "
            + ("Left out, and why:" if rejected else "None was left out.")
        )
        self.rejects.show_rows(
            [BarRow(said(r, REASONS), number(n, 0), n / total) for r, n in rejected.items()]
        )

    def _show_confidence(self, payload: Payload) -> None:
        sure = payload.confidence
        self.score.setText(f"{number(sure.score, 0)} of 100")
        self.grade.setText(
            f"Grade {sure.grade}: how likely lambda is within 3 % where the engine lives. "
            "What was not driven counts as 0."
        )
        self.regions.show_rows(
            [
                BarRow(
                    said(r.name, REGIONS),
                    f"{number(r.score, 0)} · {r.visited} of {r.cells} cells",
                    r.score / 100,
                )
                for r in sure.regions
            ]
        )
        held = "; ".join(sure.caps)
        self.doubts.setText(f"Held down because {held}." if held else "")
        self.doubts.setVisible(bool(held))

    def copy_text(self, layout: Layout) -> str:
        """Return everything on this section as rows."""
        if self._payload is None:
            return ""
        payload = self._payload
        lines = [["What the data allow", self.band.text(), ""]]
        lines += [[f.title, f.state, f.why] for f in payload.readiness.features]
        for bars in (self.modes, self.regions, self.rejects):
            lines.append([bars.accessibleName(), "", ""])
            lines += [[row.label, row.figure, ""] for row in bars.rows]
        lines.append(["Delay of the widebands", self.delay.text(), ""])
        lines.append(["Tune confidence", self.score.text(), self.doubts.text()])
        lines += [["Warning", w.message, w.code] for w in payload.warnings]
        return tsv(lines)
