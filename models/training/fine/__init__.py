"""Training of the fine envelope: on what an extender plays without one, beside the clean recordings."""
