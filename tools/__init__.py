"""What developers run: real servers for tests and benchmarks. Nothing here is part of the service."""
