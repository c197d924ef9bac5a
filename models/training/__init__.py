"""Corpus, degradation, losses, the training loop and evaluation; imported by nothing outside this folder but the command line."""
