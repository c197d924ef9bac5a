"""Figures of trained models: measures over clips, comparisons, ablations."""
