"""Play a sound through a JACK client from the transport's sample 0, and write what comes back: a process of its own.

    python jalv_bounce.py CLIENT SOUND.npy OUT.npy

The client's inputs get what belongs to the transport's sample. What comes back has passed a loop of the graph, which is
one period late. The status is 1 if the server lost samples meanwhile, which is to be tried again.
"""

from __future__ import annotations

import sys
import threading

import jack
import numpy as np

PATIENCE_S = 60.0


def main(partner: str, source: str, target: str) -> int:
    """Play, write and return the exit status."""
    sound = np.load(source)
    client = jack.Client("bounce", no_start_server=True)
    outs = [client.outports.register(f"out_{row}") for row in range(len(sound))]
    ins = [client.inports.register(f"in_{row}") for row in range(len(sound))]
    period, end = client.blocksize, sound.shape[1] + client.blocksize
    played, result, is_over = np.zeros((len(sound), end + period), np.float32), np.zeros_like(sound), threading.Event()
    played[:, : sound.shape[1]] = sound
    lost: list[float] = []

    def process(frames: int) -> None:
        state, position = client.transport_query_struct()
        at = position.frame
        is_due = state == jack.ROLLING and at < end
        for row, (come, go) in enumerate(zip(ins, outs, strict=True)):
            go.get_array()[:] = played[row, at : at + frames] if is_due else 0.0
            if is_due and at >= period:
                back = come.get_array()[: sound.shape[1] - at + period]
                result[row, at - period : at - period + len(back)] = back
        if state == jack.ROLLING and at >= end:
            is_over.set()

    client.set_process_callback(process)
    client.set_xrun_callback(lost.append)
    with client:
        for row in range(len(sound)):
            client.connect(outs[row], client.get_ports(f"{partner}:", is_audio=True, is_input=True)[row])
            client.connect(client.get_ports(f"{partner}:", is_audio=True, is_output=True)[row], ins[row])
        client.transport_locate(0)
        client.transport_start()
        is_whole = is_over.wait(PATIENCE_S)
        client.transport_stop()
    np.save(target, result)
    return 0 if is_whole and not lost else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
