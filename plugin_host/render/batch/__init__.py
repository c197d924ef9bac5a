"""Many files: planned, rendered by workers, noted in a journal by content, reported."""
