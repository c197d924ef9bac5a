"""Preset files: one JSON file each, found through importlib.resources."""
