"""What may compute a predictor."""

from __future__ import annotations

from typing import Literal, get_args

# The definition is torch; a kernel is quickest for one frame at a time; the artifact's ONNX graph goes anywhere.
Runtime = Literal["kernel", "onnx", "torch"]
RUNTIMES: tuple[Runtime, ...] = get_args(Runtime)
LIVE: Runtime = "kernel"
