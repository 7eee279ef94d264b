"""File descriptors: each connection takes one, and where none is left nothing can be opened, not even the store."""

import resource

import structlog

# The store, the spool, the archive, InfluxDB's connections, and those that are being turned away.
_OTHERS = 300


def room_for(connections: int) -> int:
    """How many of ``connections`` the process may have, after asking the system for as many as it needs."""
    wanted = connections + _OTHERS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    room = min(connections, max(soft - _OTHERS, soft // 2))
    if room < connections:
        structlog.get_logger("server").warning("few_file_descriptors", limit=soft, max_connections=room)
    return room
