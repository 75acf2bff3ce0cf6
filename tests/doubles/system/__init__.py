"""Trees of the system's files as machines have them, and a GPU as its driver shows it."""
