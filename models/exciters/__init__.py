"""Learned exciters: SEANet, WaveNet, causal convolutions, and the two-stage extender."""
