"""One live session: host, control interfaces, recordings, state file."""
