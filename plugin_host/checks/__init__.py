"""Conformance checks for any stage."""
