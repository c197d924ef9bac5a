"""The bar of the presets: what plays, whether it was changed since, the one before and the next, save and revert."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from nicegui import ui

from plugin_host.control.client import HostError, NoHostError
from plugin_host.panel.elements import Ask, button, every
from plugin_host.panel.host_mirror import PanelLink
from plugin_host.panel.labels import title_of
from plugin_host.panel.preset_dialog import PresetDialog

_COMPARE_EVERY_S = 0.5


class PresetBar:
    """A group of buttons.

    Args:
        link: The host.
        ask: Asks the host and shows where it refuses; returns None then.
        dialog: Finds, loads and saves presets.
        menu: Opens the menu that binds a button to the controller.
    """

    def __init__(self, link: PanelLink, ask: Ask, dialog: PresetDialog, menu: Callable[..., Any]) -> None:
        self._link, self._ask, self._dialog = link, ask, dialog
        self._compared: object = None
        self._is_loading = False
        with ui.element("div").classes("hb-group hb-presets").props('role="group" aria-label="Preset"'):
            button("◀", partial(self.step, -1), "Previous preset (key [)").on(
                "contextmenu.prevent", partial(menu, "preset.previous")
            )
            self._name = button("presets", lambda: dialog.open(), "Presets: load and save").classes("hb-preset-name")
            self._edited = ui.label("edited").classes("hb-edited").props('title="Changed since it was loaded or saved"')
            button("▶", partial(self.step, 1), "Next preset (key ])").on(
                "contextmenu.prevent", partial(menu, "preset.next")
            )
            self._save = button("save", self._keep, "Save what plays")
            self._revert = button("revert", self.revert, "Revert to the preset as it was saved")
        self._mark(False)
        every(_COMPARE_EVERY_S, self._compare)

    def refresh(self) -> None:
        """Show the name of what plays."""
        self._name.set_text(title_of(self._link.stats))

    async def step(self, way: int) -> None:
        """Play the preset that comes next in the list, or the one before it."""
        if self._is_loading:
            return
        self._is_loading = True
        try:
            await self._dialog.step(way)
        finally:
            self._is_loading = False

    async def revert(self) -> None:
        """Load what plays again, as it was saved."""
        if self._playing:
            await self._dialog.load({"name": self._playing, "title": self._playing})

    @property
    def _playing(self) -> str:
        return str(self._link.stats.get("preset") or "")

    async def _keep(self) -> None:
        if not await self._dialog.save_again():
            await self._dialog.open(saves=True)

    async def _compare(self) -> None:
        """Ask the host, where anything has moved, whether what plays is still the preset."""
        link = self._link
        values = {knob: setting["value"] for knob, setting in link.settings.items()}
        now: tuple[Any, ...] = (link.away, self._playing, values, link.state["chain"])
        if now == self._compared:
            return
        self._compared = now
        if link.away or not self._playing:
            self._mark(False)
            return
        try:
            self._mark(bool((await link.ask("diff_preset", name=self._playing))["diff"]))
        except (HostError, NoHostError):
            # A preset that was loaded from a path has no name to ask for.
            self._mark(False)

    def _mark(self, is_edited: bool) -> None:
        self._edited.set_visibility(is_edited)
        self._revert.set_enabled(is_edited and not self._link.away)
        self._save.set_enabled(not self._link.away)
