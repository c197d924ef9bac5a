"""Stages in order, the dry/wet path around them, effects and plug-ins."""
