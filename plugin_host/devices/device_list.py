"""Which sound devices there are."""

from __future__ import annotations

from dataclasses import dataclass

from plugin_host.devices.device import portaudio


@dataclass(frozen=True)
class Listed:
    """One line of `highband devices`; latencies in ms as the driver tells them."""

    index: int
    name: str
    api: str
    inputs: int
    outputs: int
    rate: int
    input_ms: float
    output_ms: float
    default: str


def list_devices() -> list[Listed]:
    """Return every device of every host API; raise DeviceError where PortAudio is missing."""
    module = portaudio()
    apis = module.query_hostapis()
    default_in, default_out = module.default.device
    return [
        Listed(
            index, entry["name"], apis[entry["hostapi"]]["name"],
            entry["max_input_channels"], entry["max_output_channels"], round(entry["default_samplerate"]),
            1000.0 * entry["default_low_input_latency"], 1000.0 * entry["default_low_output_latency"],
            " ".join(word for word, chosen in (("input", default_in), ("output", default_out)) if chosen == index),
        )
        for index, entry in enumerate(module.query_devices())
    ]  # fmt: skip
