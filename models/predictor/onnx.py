"""The predictor compiled for live use: the artifact's ONNX graph on ONNX Runtime, one thread, no spinning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.predictor.inference import Array, Told
from models.predictor.network import Predictor

INPUTS = ("levels_db", "tonality", "mask", "past_frames", "past_state", "past_references")
OUTPUTS = ("envelope_db", "harmonicity", "next_frames", "next_state", "next_references")


class CompiledTeller:
    """The same function as `models.predictor.inference.TorchTeller`, to 1e-5.

    Live there is one frame a call: for that case input and output lie in arrays that ONNX Runtime is bound to, which
    takes a third of the call's time away.
    """

    def __init__(self, graph: Path, predictor: Predictor) -> None:
        """Load a graph; raises ValueError where it is not one of ours.

        Args:
            graph: Of the predictor.
            predictor: Tells how its past starts.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime raises classes of its own that share no useful base.
            raise ValueError(f"{graph} is not an ONNX graph that this version runs: {error}") from None
        names = tuple(entry.name for entry in self._session.get_inputs())
        if names != INPUTS:
            raise ValueError(f"{graph} takes {', '.join(names)} where a predictor takes {', '.join(INPUTS)}")
        self._predictor = predictor

    def start(self, channels: int) -> None:
        """Forget everything, for so many channels."""
        self._past = [part.numpy().copy() for part in self._predictor.start(channels)]
        self._next = [part.copy() for part in self._past]
        self._binding: Any = None

    def tell(self, levels_db: Array, tonality: Array, mask: Array) -> Told:
        """Predict; see `models.predictor.inference.Teller`."""
        if levels_db.shape[1] == 1:
            return self._tell_one(levels_db, tonality, mask)
        feed = (levels_db, tonality, np.broadcast_to(mask, levels_db.shape), *self._past)
        levels, tone, *self._next = self._session.run(OUTPUTS, dict(zip(INPUTS, feed, strict=True)))
        # What is bound is written to in place, and these arrays belong to ONNX Runtime.
        self._binding = None
        return Told(levels, tone)

    def _tell_one(self, levels_db: Array, tonality: Array, mask: Array) -> Told:
        if self._binding is None:
            self._bind(len(levels_db), levels_db.shape[2])
        self._levels[:] = levels_db
        self._tones[:] = tonality
        self._mask[:] = mask
        self._session.run_with_iobinding(self._binding)
        return self._told

    def _bind(self, channels: int, bands: int) -> None:
        shape = (channels, 1, bands)
        self._levels, self._tones, self._mask = (np.zeros(shape, np.float32) for _ in range(3))
        self._told = Told(np.zeros(shape, np.float32), np.zeros(shape, np.float32))
        self._past = [np.array(part) for part in self._past]
        self._next = [np.zeros_like(part) for part in self._past]
        self._binding = self._session.io_binding()
        for name, array in zip(INPUTS, (self._levels, self._tones, self._mask, *self._past), strict=True):
            self._binding.bind_ortvalue_input(name, self._value(array))
        for name, array in zip(OUTPUTS, (*self._told, *self._next), strict=True):
            self._binding.bind_ortvalue_output(name, self._value(array))

    @staticmethod
    def _value(array: NDArray[np.float32]) -> Any:
        import onnxruntime

        return onnxruntime.OrtValue.ortvalue_from_numpy(array)

    def keep(self) -> None:
        """Put the frames that were told last into the past."""
        for past, following in zip(self._past, self._next, strict=True):
            np.copyto(past, following)
