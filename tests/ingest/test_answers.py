from ingest.errors import IngestError
from ingest.routes.answers import STATUS


def test_every_error_has_its_status_and_a_code_of_its_own() -> None:
    errors = IngestError.__subclasses__()
    assert set(errors) == set(STATUS)
    assert len({error.code for error in errors}) == len(errors)
