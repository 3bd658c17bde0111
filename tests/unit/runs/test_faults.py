import ast
import re
from pathlib import Path

import pytest

from providers import errors
from runs.faults import FAULTS, explain

ROOT = Path(__file__).parents[3]
_CODE = re.compile(r"[A-Z][A-Z]+(_[A-Z]+)+")


def provider_codes():
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ProviderError)
    ]
    return {kind.code for kind in kinds}


_VARIABLE = re.compile("^ZAP_|_URL$|^FAL_|^IN_|_API_KEY$|_TOKEN$|_SECRET$|_ORG_ID$|^COMFYUI_")


def codes_written_by(*places):
    """Every text in capitals with an underscore, but for environment variables and a vendor's own words."""
    found = set()
    for place in places:
        for path in [ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py"):
            constants = (
                node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)
            )
            found |= {value for value in constants if isinstance(value, str) and _CODE.fullmatch(value)}
    return {code for code in found if not _VARIABLE.search(code)}


def test_every_providers_error_has_words():
    assert provider_codes() <= set(FAULTS)


def test_every_code_that_the_engine_and_the_adapters_keep_has_words():
    missing = codes_written_by(
        "runs/engine",
        "runs/transitions",
        "providers/adapters",
        "providers/verdict.py",
        "providers/download.py",
        "media/errors.py",
    ) - set(FAULTS)

    assert missing == set()


@pytest.mark.parametrize("code", sorted(FAULTS))
def test_words_are_sentences_that_say_what_to_do(code):
    fault = explain(code)

    assert fault.message.endswith(".")
    assert fault.remediation.endswith(".")
    assert fault.message[0].isupper()
    assert fault.remediation[0].isupper()


def test_a_code_that_nobody_knows_is_explained_too():
    assert explain("THIRD_PARTY_CODE").message.endswith(".")
