"""Presets: schema, file, diff, effect catalogue."""
