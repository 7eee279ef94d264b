import os
from pathlib import Path

import pytest

from tests.compose.project import Project, project

_AS_ROOT = Path(__file__).with_name("test_secrets.py")
_FOR_OTHERS = "test_as_root_of_a_user_namespace"


@pytest.fixture(scope="session")
def whole() -> Project:
    """The project with all its profiles."""
    return project()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Whoever is not root runs the tests that need root in one, which makes them root of a namespace."""
    is_root = os.geteuid() == 0
    elsewhere = [item for item in items if item.path == _AS_ROOT and (item.name == _FOR_OTHERS) is is_root]
    if elsewhere:
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if item not in elsewhere]
