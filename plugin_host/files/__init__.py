"""Audio in and out, tags, and JSON documents."""
