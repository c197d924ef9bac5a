"""Levels, load and memory."""
