"""Containers of audio read piece by piece: RIFF and its kin, MPEG frames, Ogg pages, FLAC, AIFF."""
