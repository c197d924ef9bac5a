"""The presets on the page: found by a word, looked at for what they would change, loaded, and saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from plugin_host.panel.elements import Ask, Select, button, window
from plugin_host.panel.host_mirror import PanelLink
from plugin_host.panel.labels import changed_by, diff_rows

_KINDS: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "all": lambda one: True,
    "favourites": lambda one: bool(one["favourite"]),
    "my own": lambda one: one["kind"] == "user",
    "factory": lambda one: one["kind"] == "bundled",
}


class PresetDialog:
    """A window over the page.

    Args:
        link: The host.
        ask: Asks the host and shows the person where it refuses; returns None then.
        show: Shows a sentence on the page.
    """

    def __init__(self, link: PanelLink, ask: Ask, show: Callable[[str], None]) -> None:
        self._link, self._ask, self._show = link, ask, show
        self._presets: list[dict[str, Any]] = []
        self._drawn: list[dict[str, Any]] | None = None
        with window("Presets", "Close the presets") as self._dialog:
            self._search = ui.input("Search", on_change=self._filter).props("dense autofocus clearable debounce=150")
            with ui.element("div").classes("hb-filters"):
                self._kind = ui.toggle(list(_KINDS), value="all", on_change=self._filter).props(
                    'dense flat no-caps aria-label="Which presets"'
                )
                self._tag = Select("Tag", self._filter, any="any tag")
            self._found = ui.element("div").classes("hb-list").props('role="group" aria-label="Presets"')
            self._diff = ui.element("div").classes("hb-diff").props('role="status"')
            with ui.element("details").classes("hb-saving") as self._saving:
                TextElement(tag="summary", text="Save what plays")
                self._name = ui.input("Name").props("dense maxlength=80")
                self._about = ui.input("Description").props("dense maxlength=1000")
                self._tags = ui.input("Tags, with commas between").props("dense maxlength=200")
                self._overwrite = ui.checkbox("Replace my preset of this name")
                button("save", self._save, "Save the preset")

    async def open(self, saves: bool = False) -> None:
        """Show the presets that the host has now, and where asked for what is needed to save one."""
        self._saving.props["open"] = saves
        if reply := await self._ask("presets"):
            self._presets = reply["presets"]
            tags = ["", *sorted({tag for one in self._presets for tag in one["tags"]})]
            self._tag.set_options(tags, value="")
            self._suggest()
            self._diff.clear()
            self._search.value, self._kind.value = "", "all"
            self._list()
            self._dialog.open()

    def _suggest(self) -> None:
        """Fill in what a preset of the person's own is called while it plays, so that it is saved again at once."""
        playing = self._link.stats.get("preset")
        for one in self._presets:
            if one["kind"] == "user" and one["name"] == playing:
                self._name.value, self._about.value = one["name"], one["description"]
                self._tags.value = ", ".join(one["tags"])

    def _filter(self) -> None:
        # What is put back while it is closed is listed when it opens.
        if self._dialog.value:
            self._list()

    def _list(self) -> None:
        found = [dict(one) for one in self._presets if self._is_wanted(one)]
        # What is drawn anew below a hand loses its press.
        if found == self._drawn:
            return
        self._drawn = found
        self._found.clear()
        with self._found:
            for preset in found:
                with ui.element("div").classes("hb-preset"):
                    star = button("★" if preset["favourite"] else "☆", partial(self._mark, preset), "Favourite")
                    star.props["aria-label"] = f"{preset['title']} is a favourite"
                    star.props["aria-pressed"] = str(preset["favourite"]).lower()
                    with button("", partial(self.load, preset), f"Load {preset['title']}"):
                        TextElement(tag="strong", text=preset["title"])
                        TextElement(tag="span", text=preset["description"])
                    button("changes", partial(self._compare, preset), f"What {preset['title']} would change")
            if not found:
                ui.label("No preset is so; search for less.")

    def _is_wanted(self, preset: Mapping[str, Any]) -> bool:
        text = " ".join([preset["name"], preset["title"], preset["description"], *preset["tags"]]).casefold()
        words = (self._search.value or "").casefold().split()
        is_tagged = not self._tag.value or self._tag.value in preset["tags"]
        return is_tagged and _KINDS[self._kind.value or "all"](preset) and all(word in text for word in words)

    async def _mark(self, preset: dict[str, Any]) -> None:
        if await self._ask("favourite", name=preset["name"], on=not preset["favourite"]):
            for one in self._presets:
                one["favourite"] ^= one["name"] == preset["name"]
            self._list()

    async def _compare(self, preset: Mapping[str, str]) -> None:
        reply = await self._ask("diff_preset", name=preset["name"])
        if reply is None:
            return
        rows = diff_rows(reply["diff"], self._link.knobs)
        self._diff.clear()
        with self._diff:
            ui.label(f"{preset['title']} would change" if rows else f"{preset['title']} would change nothing")
            # What scrolls has to be reached by keys.
            with ui.element("dl").classes("hb-changes").props('tabindex="0" aria-label="Changes"'):
                for name, now, then in rows:
                    TextElement(tag="dt", text=name)
                    TextElement(tag="dd", text=f"{now} → {then}")

    async def load(self, preset: Mapping[str, Any]) -> None:
        """Play a preset, and say what it has changed."""
        await self._play(str(preset["title"]), "load_preset", name=preset["name"])
        self._dialog.close()

    async def step(self, way: int) -> None:
        """Play the next preset of the list, or with -1 the one before."""
        await self._play("another preset", "step_preset", way=way)

    async def _play(self, title: str, do: str, **fields: Any) -> None:
        before = self._link.settings
        self._show(f"building {title} ...")
        reply = await self._ask(do, **fields) or {}
        title = str(reply.get("name", title))
        self._show(changed_by(title, before, reply["settings"], self._link.knobs) if reply else "")

    async def save_again(self) -> bool:
        """Save what plays in the preset of the person's own that it comes from; return False where there is none."""
        playing = self._link.stats.get("preset")
        for one in (await self._ask("presets") or {}).get("presets", []):
            if one["kind"] == "user" and one["name"] == playing:
                fields = {"name": one["name"], "description": one["description"], "overwrite": True}
                if reply := await self._ask("save_preset", **fields):
                    self._show(f"saved as {reply['name']}")
                return True
        return False

    async def _save(self) -> None:
        name, about = (self._name.value or "").strip(), self._about.value or ""
        overwrite = self._overwrite.value is True
        if not name:
            ui.notify("give the preset a name first", type="warning", position="bottom")
            return
        tags = [tag for part in (self._tags.value or "").split(",") if (tag := part.strip())]
        if reply := await self._ask("save_preset", name=name, description=about, tags=tags, overwrite=overwrite):
            self._dialog.close()
            self._show(f"saved as {reply['name']}")
