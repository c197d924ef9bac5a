"""Recordings, degradations and synthetic sounds, as features and as examples."""
