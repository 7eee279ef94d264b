"""The raw archive: every accepted event as it was received, in files that people can read."""
