"""The audio callback, its channels, real-time rights and watchdog."""
