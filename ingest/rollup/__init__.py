"""Exact counts by minute and hour, so that an answer costs the same however many events it is about."""
