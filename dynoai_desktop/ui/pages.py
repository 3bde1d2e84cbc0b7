"""The stack of pages: each is built when it is first opened, one is in front."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QStackedWidget

from dynoai_desktop.ui.panels import PanelSpec
from dynoai_desktop.ui.panels.panel import Panel


class Pages(QStackedWidget):
    """Knows which page is in front, and which page of the workflow was there last."""

    def __init__(self, specs: Sequence[PanelSpec], build: Callable[[PanelSpec], Panel]) -> None:
        """Start with no page; *build* makes one."""
        super().__init__()
        self._specs = {spec.key: spec for spec in specs}
        self._build = build
        self._panels: dict[str, Panel] = {}
        self.page = ""
        self.workflow_page = specs[0].key

    @property
    def built(self) -> tuple[Panel, ...]:
        """Return the pages opened so far."""
        return tuple(self._panels.values())

    def in_workflow(self, key: str) -> bool:
        """Return whether *key* is a step of the workflow, not settings or help."""
        return key in self._specs and self._specs[key].mark is not None

    def panel(self, key: str = "") -> Panel:
        """Return a page, by default the one in front."""
        key = key or self.page
        if key not in self._panels:
            self._panels[key] = self._build(self._specs[key])
            self.addWidget(self._panels[key])
        return self._panels[key]

    def open(self, key: str) -> Panel:
        """Bring a page to the front and return it."""
        panel = self.panel(key)
        self.page = key
        if self.in_workflow(key):
            self.workflow_page = key
        self.setCurrentWidget(panel)
        return panel
