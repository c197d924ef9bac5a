"""Files and arrays through a chain: one file, its loudness and provenance, batches, spectrogram, verify, demo."""
