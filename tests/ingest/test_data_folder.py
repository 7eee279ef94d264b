from pathlib import Path

import pytest

from ingest.data_folder import DataFolder, FolderInUse


def test_a_folder_is_made_and_held_by_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "new" / "data"
    with DataFolder(path), pytest.raises(FolderInUse, match="another ingest runs on"), DataFolder(path):
        pass
    with DataFolder(path):
        assert path.is_dir()
