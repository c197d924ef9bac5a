"""The blind test on the page: is X what A is or what B is, while the host plays both, equally loud?"""

from __future__ import annotations

import asyncio
import secrets
import time
from functools import partial
from typing import Any

from nicegui import ui

from plugin_host.panel.elements import Ask, Select, button, every, press_in
from plugin_host.panel.host_mirror import PanelLink
from plugin_host.panel.labels import abx_result, sides_of
from plugin_host.panel.listening.abx import Choice
from plugin_host.panel.listening.groups import ListeningError
from plugin_host.panel.listening.live import LiveAbx, answers_file
from plugin_host.panel.listening.session import Listener

_SOUNDS = ("a", "x", "b")
_CHOICES = {"A": "1: X is A", "B": "2: X is B"}
_KEYS = {"1": "A", "2": "B"}
_LOOK_EVERY_S = 0.2
# Of both versions so much has to be measured before they are equally loud.
_MEASURED_S = 3.0
_GONE_S = 5.0
_ROUNDS, _MOST_ROUNDS = 10, 100


class BlindDialog:
    """A window that covers the page, whose meters and picture would say which version plays.

    Args:
        link: The host.
        ask: Asks the host and shows where it refuses; returns None then.
    """

    def __init__(self, link: PanelLink, ask: Ask) -> None:
        self._link, self._ask = link, ask
        self._test: LiveAbx | None = None
        self._word, self._began, self._is_busy = "", 0.0, False
        self._sides: dict[str, dict[str, str]] = {}
        self._sounds: dict[str, ui.button] = {}
        self._choices: list[ui.button] = []
        self._dialog = ui.dialog().props('maximized aria-label="Blind test"')
        with self._dialog, ui.card().classes("hb-dialog hb-blind"):
            ui.label("Blind test").classes("hb-heading")
            self._build_setup()
            self._build_trial()
            self._build_end()
        every(_LOOK_EVERY_S, self._look)
        self._client = ui.context.client
        self._client.on_disconnect(self._end_if_gone)

    def _build_setup(self) -> None:
        with ui.element("div").classes("hb-setup") as self._setup:
            ui.label(
                "X is the same sound as A or as B, and you say which. Both play all the time on what comes in, equally "
                "loud; play music, switch as often as you like, and trust your ears: the page shows nothing else."
            )
            self._first, self._second = Select("One version"), Select("The other version")
            self._rounds = ui.number("Trials", value=_ROUNDS, min=1, max=_MOST_ROUNDS, step=1, format="%d").props(
                "dense"
            )
            with ui.row():
                button("begin", self.begin, "Begin the blind test").classes("hb-on")
                button("close", self._dialog.close, "Close the blind test")

    def _build_trial(self) -> None:
        with ui.element("div").classes("hb-trial") as self._trial:
            self._progress = ui.label().props('role="status"')
            with ui.element("div").classes("hb-sounds").props('role="group" aria-label="Sound that plays"'):
                for sound in _SOUNDS:
                    self._sounds[sound] = button(sound.upper(), partial(self.listen, sound), f"Play {sound.upper()}")
            with ui.element("div").classes("hb-answers").props('role="group" aria-label="Answer"'):
                self._choices = [
                    button(text, partial(self.answer, choice), f"X is {choice}") for choice, text in _CHOICES.items()
                ]
            ui.label("Keys: A, X, B switch; 1 and 2 answer; Escape ends.").classes("hb-caption")
            button("end the test", self.cancel, "End the blind test")

    def _build_end(self) -> None:
        with ui.element("div").classes("hb-end").props('role="status"') as self._results:
            self._verdict, self._meaning = ui.label().classes("hb-verdict"), ui.label()
            self._file = ui.label().classes("hb-caption")
            with ui.row():
                button("CSV", self._download, "Download the answers as CSV")
                button("again", self.open, "Another blind test")
                button("close", self._dialog.close, "Close the results")

    @property
    def is_on(self) -> bool:
        """Whether a test is under way."""
        return self._test is not None

    async def open(self) -> None:
        """Offer the versions that can be compared now."""
        presets = (await self._ask("presets") or {}).get("presets", [])
        self._sides = sides_of(self._link.state, presets)
        names = list(self._sides)
        for choice, usual in zip((self._first, self._second), names, strict=False):
            choice.set_options(names, value=choice.value if choice.value in names else usual)
        self._show_only(self._setup)
        self._dialog.open()

    async def begin(self) -> None:
        """Let the host play both versions, and draw the trials."""
        names = [str(self._first.value), str(self._second.value)]
        if names[0] == names[1]:
            ui.notify("choose two different versions", type="warning", position="bottom")
            return
        if self._is_busy or await self._ask("compare", sides=[self._sides[name] for name in names]) is None:
            return
        rounds = min(_MOST_ROUNDS, max(1, int(self._rounds.value or _ROUNDS)))
        try:
            self._test = LiveAbx(names, answers_file(), rounds, secrets.randbelow(1 << 31))
            self._word = self._test.open(Listener())
        except (ListeningError, OSError) as error:
            ui.notify(str(error), type="warning", position="bottom")
            await self.cancel()
            return
        self._show_only(self._trial)
        await self._ask_next()

    async def listen(self, sound: str) -> None:
        """Make a sound audible."""
        if self._test is None:
            return
        if await self._ask("audition", side=self._test.side(self._word, sound)) is None:
            await self.cancel()
            return
        for name, one in self._sounds.items():
            press_in(one, name == sound, False)

    async def answer(self, choice: str) -> None:
        """Keep an answer, and go on to the next trial or to the results."""
        if self._test is None or self._is_busy or not self._is_ready():
            return
        self._is_busy = True
        try:
            trial, seconds = self._test.state(self._word)["trial"], time.monotonic() - self._began
            self._test.set_levels(self._comparison["lufs"])
            self._test.answer(self._word, Choice.model_validate({"trial": trial, "seconds": seconds, "choice": choice}))
            await self._ask_next()
        except ListeningError as error:
            ui.notify(str(error), type="warning", position="bottom")
        finally:
            self._is_busy = False

    async def press(self, key: str) -> None:
        """Act on a key while a test is under way."""
        if key.lower() in self._sounds:
            await self.listen(key.lower())
        elif key in _KEYS:
            await self.answer(_KEYS[key])
        elif key == "Escape":
            await self.cancel()

    async def cancel(self) -> None:
        """End the test without a result; the answers given so far stay in the file."""
        await self._end()
        self._show_only(self._setup)

    async def _ask_next(self) -> None:
        assert self._test is not None
        state = self._test.state(self._word)
        if "results" not in state:
            self._began = time.monotonic()
            self._look()
            await self.listen("a")
            return
        self._verdict.set_text(abx_result(state["results"][0]))
        offset = self._comparison.get("offset_db")
        word = "louder" if offset is not None and offset > 0 else "softer"
        louder = "" if offset is None else f" Without the match the second would have been {abs(offset):.1f} dB {word}."
        self._meaning.set_text(f"{self._first.value} against {self._second.value}.{louder}")
        self._file.set_text(f"Added to {state['output']}")
        self._show_only(self._results)
        await self._end()

    async def _end(self) -> None:
        if self._test is not None:
            self._test = None
            await self._ask("end_comparison")

    async def _end_if_gone(self) -> None:
        """Leave the sound as it was where the page was closed; a connection that only broke is soon back."""
        await asyncio.sleep(_GONE_S)
        if not self._client.has_socket_connection:
            await self._end()

    @property
    def _comparison(self) -> dict[str, Any]:
        return dict(self._link.stats.get("comparison") or {"lufs": [None, None], "seconds": 0.0})

    def _is_ready(self) -> bool:
        found = self._comparison
        return found["seconds"] >= _MEASURED_S and None not in found["lufs"]

    def _look(self) -> None:
        if self._test is None:
            return
        state, is_ready = self._test.state(self._word), self._is_ready()
        words = f"Trial {state['trial'] + 1} of {state['trials']}"
        self._progress.set_text(words if is_ready else f"{words}: measuring how loud both are; keep the music playing")
        for one in self._choices:
            one.set_enabled(is_ready)

    def _show_only(self, part: ui.element) -> None:
        for one in (self._setup, self._trial, self._results):
            one.set_visibility(one is part)
        # Escape closes it, but ends a test that is under way first.
        self._dialog.props["persistent"] = part is self._trial
        self._dialog.update()

    def _download(self) -> None:
        ui.download.file(answers_file(), "abx.csv")
