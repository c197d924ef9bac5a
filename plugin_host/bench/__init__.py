"""What this machine can do: live, render, panel, latency, doctor."""
