"""The true bandwidth of a signal: level histograms, the edge in them, and a meter over time."""
