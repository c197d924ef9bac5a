"""A client that joins the JACK server and leaves it again and again, always in the middle of its work."""

from __future__ import annotations

import time
from collections.abc import Mapping

from models.extender.controls import CONTROLS
from models.stage import Block
from plugin_host.devices.jack import JackDevice
from plugin_host.engine.engine import Engine
from plugin_host.settings.store import SettingsStore
from tests.plugin_host.devices.product_insert import ALONE
from tests.plugin_host.stages import Delay

TIMES, WORK_S = 25, 0.005


class Busy(Delay):
    """Has the interpreter for most of a period."""

    def process(self, block: Block, settings: Mapping[str, float]) -> Block:
        end = time.perf_counter() + WORK_S
        while time.perf_counter() < end:
            pass
        return super().process(block, settings)


def main() -> None:
    for number in range(TIMES):
        device, engine = JackDevice(ALONE), Engine(Busy(0), SettingsStore(CONTROLS))
        device.prepare(engine)
        device.start()
        time.sleep(0.05 + 0.001 * number)
        device.stop()


if __name__ == "__main__":
    main()
