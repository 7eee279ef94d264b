"""Several processes on one port: one that does everything, and others beside it that take events."""
