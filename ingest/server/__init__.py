"""Connections: how many, how long each may take for what it does, and what happens to requests beyond the capacity."""
