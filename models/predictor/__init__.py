"""The network that predicts the acoustic features of the missing band, and what computes it."""
