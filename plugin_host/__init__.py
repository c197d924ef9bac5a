"""Real time, files, devices, control and the command line."""
