"""Sound devices: PortAudio, JACK, files, buffered."""
