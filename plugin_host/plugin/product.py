"""A product: one plug-in as hosts see it, made of a stage; its name, identities and knobs as a C++ header."""

from __future__ import annotations

import hashlib
import json
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from models.control import Control
from models.extender.controls import BY_ID
from models.stage import Stage
from plugin_host.chain.stage_class import CLASS, load_stage

OWN = "highband"
RATES = (44100, 48000, 88200, 96000)
VENDOR = "Highband"
_MOST_KNOBS = 64
_NAMESPACE = uuid.UUID("7f1cf3a4-3d0e-4c2f-9a55-2c2f5b8a9d10")
_CURVES = {"linear": "Curve::kLinear", "log": "Curve::kLog", "switch": "Curve::kSwitch"}
BYPASS = BY_ID["bypass"]


class PluginError(ValueError):
    """The plug-in can't be built, installed or played; one sentence that says what to do."""


@dataclass(frozen=True)
class Product:
    """A plug-in.

    Attributes:
        stage: "highband" for the extender, or `module:Class`.
        folder: Where the module lies, "" for the extender.
        name: In the hosts' lists.
        controls: Its knobs, in order; bypass is among them.
        latencies: The chain's latency in samples by sample rate, as it is before a session says another.
    """

    stage: str
    folder: str
    name: str
    controls: tuple[Control, ...]
    latencies: dict[int, int]

    @property
    def slug(self) -> str:
        """The name of files and identities: lower case, words joined by dashes."""
        return "-".join("".join(c if c.isalnum() else " " for c in self.name).lower().split())

    @property
    def uri(self) -> str:
        """What LV2 hosts know it by; the mono variant has "#mono" behind it."""
        return f"urn:highband:{self.slug}"

    @property
    def clap_id(self) -> str:
        """What CLAP hosts know it by."""
        return f"org.highband.{self.slug}"

    @property
    def class_id(self) -> bytes:
        """What VST3 hosts know it by."""
        return uuid.uuid5(_NAMESPACE, self.slug).bytes

    @cached_property
    def table(self) -> int:
        """Hash of the knobs' table, 64 bits: plug-in and engine must have the same one."""
        fields = [[c.id, c.unit, c.low, c.high, c.default, c.curve, c.automatic] for c in self.controls]
        return int.from_bytes(hashlib.sha256(json.dumps(fields).encode()).digest()[:8], "little")


def find_product(stage: str = OWN, name: str = "", folder: Path | None = None) -> Product:
    """Describe the plug-in of a stage.

    Args:
        stage: "highband" or `module:Class`.
        name: In the hosts' lists; by default the class's.
        folder: Where the module lies; by default the current folder.

    Raises:
        ValueError: There is no such stage, or it can't be a plug-in; one sentence.
    """
    place = "" if stage == OWN else str((folder or Path.cwd()).resolve())
    return product_of(make_stage(stage, place), stage, name, place)


def product_of(made: Stage, stage: str, name: str = "", folder: str = "") -> Product:
    """Describe the plug-in of a stage at hand; see `find_product`."""
    controls = tuple(made.controls)
    if all(control.id != BYPASS.id for control in controls):
        controls = (*controls, BYPASS)
    if len(controls) > _MOST_KNOBS:
        raise PluginError(f"{stage} has {len(controls)} knobs, a plug-in takes {_MOST_KNOBS}: leave some out")
    shown = name or (VENDOR if stage == OWN else stage.partition(":")[2])
    return Product(stage, folder, shown, controls, _latencies(made))


def make_stage(stage: str, folder: str = "") -> Stage:
    """Make the stage of a product, not yet prepared; raise ValueError with a sentence if it can't be."""
    if stage == OWN:
        from plugin_host.chain.program import DEFAULT_ARTIFACT, build

        return build("", DEFAULT_ARTIFACT).chain
    if not CLASS.fullmatch(stage):
        raise PluginError(f"'{stage}' is no stage; give module:Class")
    return load_stage(stage, folder)


def _latencies(stage: Stage) -> dict[int, int]:
    found = {}
    for rate in RATES:
        try:
            stage.prepare(rate, 2, 2048)
        except ValueError:
            continue  # The plug-in says at that rate why it plays dry.
        found[rate] = stage.latency_samples
    return found


def knob_id(control: Control) -> int:
    """Return the number by which VST3 and CLAP hosts know a knob; it stays when the table grows."""
    return int.from_bytes(hashlib.sha256(control.id.encode()).digest()[:4], "little") & 0x7FFFFFFF


def symbol_of(control: Control) -> str:
    """Return the name by which LV2 hosts know a knob."""
    return "".join(c if c.isalnum() else "_" for c in control.id)


def engine_command(*, detached: bool = True) -> list[str]:
    """Return the command by which a plug-in starts the engine: this interpreter with this tree.

    Args:
        detached: Leave the parent's process at once, so that a DAW waits for nothing and keeps no child.
    """
    root = str(Path(__file__).resolve().parents[2])
    leave = "os.fork() and os._exit(0); " if detached else ""
    code = f"import os, sys; {leave}sys.path.insert(0, {root!r}); from plugin_host.cli.main import main; main()"
    return [sys.executable, "-c", code, "plugin", "serve"]


def header(product: Product) -> str:
    """Write `stage.hpp`, from which the C++ side knows name, identities, knobs and how to start the engine."""
    knobs = ",\n    ".join(_knob(control) for control in product.controls)
    latencies = ", ".join(f"{{{rate}, {samples}}}" for rate, samples in product.latencies.items()) or "{0, 0}"
    bypass = next(place for place, control in enumerate(product.controls) if control.id == BYPASS.id)
    class_id = ", ".join(f"0x{byte:02x}" for byte in product.class_id)
    command = ", ".join(map(_text, engine_command()))
    texts = {
        "kStage": product.stage, "kPath": product.folder, "kName": product.name, "kVendor": VENDOR,
        "kVersion": _version(), "kDescription": f"{product.name}: sound made in Python",
        "kClapId": product.clap_id, "kLv2Uri": product.uri, "kLv2MonoUri": f"{product.uri}#mono",
        "kLv2State": f"{product.uri}#state",
    }  # fmt: skip
    lines = [
        "// Generated from the controls' table; do not edit.",
        "#pragma once",
        '#include "knobs.hpp"',
        "#include <utility>",
        "#include <vector>",
        "namespace highband {",
        *(f"constexpr char {name}[] = {_text(text)};" for name, text in texts.items()),
        f"constexpr uint8_t kClassId[16] = {{{class_id}}};",
        f"constexpr uint64_t kTable = {product.table}ull;",
        f"constexpr uint32_t kKnobCount = {len(product.controls)};",
        f"constexpr int kBypass = {bypass};",
        f"inline const Knob kKnobs[] = {{\n    {knobs}}};",
        f"constexpr std::pair<uint32_t, uint32_t> kChainLatencies[] = {{{latencies}}};",
        f"inline const std::vector<std::string> kCommand = {{{command}}};",
        "}  // namespace highband",
    ]
    return "\n".join(lines) + "\n"


def _knob(control: Control) -> str:
    words: Sequence[str] = (
        f"{knob_id(control)}u", _text(symbol_of(control)), _text(control.name), _text(control.unit),
        repr(float(control.low)), repr(float(control.high)), repr(float(control.default)), _CURVES[control.curve],
        str(control.automatic).lower(),
    )  # fmt: skip
    return "{" + ", ".join(words) + "}"


def _text(text: str) -> str:
    """Write a C++ literal; JSON's escapes of plain ASCII are the same."""
    return json.dumps(text.encode("ascii", "replace").decode())


def _version() -> str:
    try:
        return version("highband")
    except PackageNotFoundError:
        return "0"
