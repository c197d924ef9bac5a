"""What a file is before anything is rendered: its true bandwidth, its faults, its loudness."""
