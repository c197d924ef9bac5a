"""Values of controls: store, smoothing, history, snapshots, automation."""
