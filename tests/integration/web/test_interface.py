import re

import pytest

pytestmark = pytest.mark.django_db


def test_the_whole_contract_is_a_page_to_read(client):
    answer = client.get("/api/docs")
    page = answer.content.decode()

    assert answer.status_code == 200
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    for operation in client.get("/api/schema?format=json").json()["paths"]["/api/zaps/run"].values():
        assert f'id="{operation["operationId"]}"' in page
        for status in operation["responses"]:
            assert re.search(rf"<li>{status} ", page)


def test_every_shape_that_it_names_is_on_it(client):
    page = client.get("/api/docs").content.decode()

    named = set(re.findall(r'href="#shape-(\w+)"', page))
    assert len(named) > 50
    assert named <= set(re.findall(r'id="shape-(\w+)"', page))


def test_an_address_that_there_is_not_is_still_a_problem_document(client):
    assert client.get("/api/nowhere").json()["code"] == "NOT_FOUND"
