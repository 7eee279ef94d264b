"""Pulso's ingest service: a 2xx means on disk, and in the store exactly once."""
