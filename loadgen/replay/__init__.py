"""Replay: events recorded as NDJSON, sent again as they are."""
