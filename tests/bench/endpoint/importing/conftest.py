"""The import of a document that a test has in mind."""

import json

import pytest

from bench.endpoint.importing.document import read_source
from bench.endpoint.importing.records import record_of


@pytest.fixture
def imported(tmp_path):
    """Return the records of documents, which are written as one JSON document or as lines."""

    def call(*documents):
        path = tmp_path / "result.json"
        path.write_text("\n".join(json.dumps(document) for document in documents))
        source = read_source(path)
        return [record_of(run, source, ["endpoint", "import", "result.json"]) for run in source.runs]

    return call
