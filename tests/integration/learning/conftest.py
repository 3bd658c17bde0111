import pytest
from jsonschema import Draft202012Validator


@pytest.fixture
def check(client):
    """Hold a document against a component of the schema."""
    schema = client.get("/api/schema?format=json").json()

    def against(name, document):
        whole = {"$ref": f"#/components/schemas/{name}", "components": schema["components"]}
        assert [error.message for error in Draft202012Validator(whole).iter_errors(document)] == []
        assert set(document) == set(schema["components"]["schemas"][name]["properties"])

    return against


@pytest.fixture(autouse=True)
def _operator_has_a_key(monkeypatch):
    """Live runs are ordered here, and none is ever sent."""
    monkeypatch.setenv("FAL_KEY", "an-id:a-secret")
