"""Blind listening tests (ABX) of audio files in the browser, on this machine alone."""
