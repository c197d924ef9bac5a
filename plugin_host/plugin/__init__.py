"""The DAW plug-in's Python side: build and install it, and share memory with its instances."""
