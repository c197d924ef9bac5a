"""What the groups of commands share: options, completion, how a command ends."""
