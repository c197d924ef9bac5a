"""Training of the predictor on features."""
