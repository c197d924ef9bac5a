"""Blind listening tests (ABX, MUSHRA) of audio files in the browser, on this machine alone."""
