"""Limits of a process where there are several: what one of them may, of what all of them may."""

from dataclasses import replace

from ingest.settings import Settings, declared

_SHARED = (
    "max_connections",
    "max_pending_bytes",
    "max_requests_a_second",
    "max_refused_messages_a_minute",
    "max_new_series_a_minute",
    "spool_max_bytes",
    "dead_letters_max_bytes",
    "archive_max_bytes",
)


def share(settings: Settings) -> Settings:
    """The settings of each of ``settings.workers``; no limit stays none."""
    least = {setting.name: setting.least for setting in declared()}
    shared = {}
    for name in _SHARED:
        whole = getattr(settings, name)
        if whole:
            part = whole / settings.workers if isinstance(whole, float) else max(1, whole // settings.workers)
            shared[name] = max(part, type(whole)(least[name] or 0))
    return replace(settings, **shared)
