"""What one of several processes may, of what all of them may."""

from pathlib import Path

from ingest.settings import Settings
from ingest.workers.messages import decoded, encoded
from ingest.workers.shares import share


def test_one_process_may_all_of_it() -> None:
    assert share(Settings()) == Settings()


def test_limits_are_shared_out_and_none_stays_none() -> None:
    part = share(Settings(workers=4, max_connections=4096, max_requests_a_second=0.0, archive_max_bytes=0))
    assert part.max_connections == 1024
    assert part.max_new_series_a_minute == 2500
    assert part.spool_max_bytes == 2**30
    assert part.max_requests_a_second == 0
    assert part.archive_max_bytes == 0
    assert part.max_series == Settings().max_series


def test_a_part_is_never_less_than_the_setting_may_be() -> None:
    part = share(Settings(workers=8, max_connections=3, max_pending_bytes=2000, spool_max_bytes=2**20))
    assert (part.max_connections, part.max_pending_bytes, part.spool_max_bytes) == (1, 1024, 2**20)


def test_settings_reach_a_worker_as_they_are(tmp_path: Path) -> None:
    settings = Settings(workers=2, data_dir=tmp_path, tokens="a:all:0123456789abcdef", influx_token="secret")
    assert decoded(encoded(settings)) == settings
