"""Whatever is sent, no door breaks, and every answer is one that the contract names.

Requests are made up from the contract, some of them wrong on purpose; the same ones every time. Streams are left to
their own tests: a made-up reader does not read them.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.wsgi import application
from tests.contract_api.test_document import CHECKED_IN


def whole(environ, start):
    """The application, whose answers are read to the end and closed."""
    answer = application(environ, start)
    try:
        return [b"".join(answer)]
    finally:
        answer.close()


load_all_checks()
CONTRACT = schemathesis.openapi.from_path(CHECKED_IN)
CONTRACT.app = whole
CHECKS = [
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
STREAMS = {"watchRun", "watchRuns", "watchFlowRun"}
OPERATIONS = {
    operation.definition.raw["operationId"]: operation
    for operation in (found.ok() for found in CONTRACT.get_all_operations())
    if operation.definition.raw["operationId"] not in STREAMS
}
NOT_SET_UP = {"signUpload", "completeUpload"}  # 501: there is no bucket here
MANY = settings(
    max_examples=8,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_one_that_the_contract_names(world, flow_names, name):
    operation = OPERATIONS[name]
    of_flows = flow_names if "Flow" in name else {}
    for headers, names in world.values():
        ours = {
            one.name: (names | of_flows).get(one.name, "thing_0000000000000000") for one in operation.path_parameters
        }
        for mode in GenerationMode:
            cases = operation.as_strategy(mode, path_parameters=ours or None, headers=headers)
            if mode is GenerationMode.POSITIVE or can_be_wrong(operation):
                _ask(cases, name)


def can_be_wrong(operation):
    """Whether there is anything about it but what is given."""
    raw = operation.definition.raw
    said = [one for one in raw["parameters"] if one.get("in") == "query"] if "parameters" in raw else []
    return bool(said or any(body["schema"] for body in raw.get("requestBody", {"content": {}})["content"].values()))


def _ask(cases, name):
    @MANY
    @given(case=cases)
    def ask(case):
        response = case.call()
        assert response.status_code < 500 or (response.status_code == 501 and name in NOT_SET_UP), response.text
        case.validate_response(response, checks=CHECKS)

    ask()
