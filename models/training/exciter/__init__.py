"""Training of learned exciters on waveforms."""
