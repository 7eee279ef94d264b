import pytest

from tests.compose.project import Project, project


@pytest.fixture(scope="session")
def whole() -> Project:
    """The project with all its profiles."""
    return project()
