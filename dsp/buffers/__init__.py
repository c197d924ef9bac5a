"""Delay lines, FIFOs, ring buffers and reblocking."""
