"""Corpus, degradation, losses, the loop and evaluation; imported from outside by nothing but the command line."""
