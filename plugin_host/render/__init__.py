"""Files and arrays through a chain: batch, journal, spectrogram, verify, demo."""
