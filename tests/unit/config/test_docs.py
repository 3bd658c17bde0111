"""The pages that people write name what there is: every address, verb, option, refusal and link."""

import argparse
import importlib
import pkgutil
import re
from pathlib import Path

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

import runs.control
import runs.learning
from cli.__main__ import VERBS
from core.errors import Refused, ZapsError
from runs.faults import FAULTS
from runs.states import WaitReason

ROOT = Path(__file__).parents[3]
API, CLI, OPERATING = ((ROOT / "docs" / name).read_text("utf-8") for name in ("api.md", "cli.md", "operating.md"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHARED = {"--json", "--no-wait", "--help"}  # said once for all verbs
BEHIND_A_DOOR = {
    "REFUSED",
    "LOCAL_INPUT_UNUSABLE",
    "LOCAL_OUTPUT_MISSING",
    "OUTPUT_VALIDATION_FAILED",
}  # of workers: never an answer


def addresses():
    """Every address below /api, with names where values stand."""
    for prefix in get_resolver().url_patterns:
        if isinstance(prefix, URLResolver) and str(prefix.pattern).startswith("api"):
            for one in leaves(prefix):
                names = re.sub(r"<[^:>]+:(\w+)>", lambda found: "{" + camel(found[1]) + "}", one)
                yield "/" + names


def leaves(resolver, before=""):
    for one in resolver.url_patterns:
        path = before + str(resolver.pattern)
        if isinstance(one, URLPattern):
            yield path + str(one.pattern)
        else:
            yield from leaves(one, path)


def camel(name):
    head, *rest = name.split("_")
    return head + "".join(map(str.title, rest))


def spelt_out(page):
    """The page with `…/approve` written as the address of a run."""
    return page.replace("…/", "/api/runs/{runId}/")


def refusals(kind=ZapsError):
    yield kind
    for one in kind.__subclasses__():
        yield from refusals(one)


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def test_every_address_is_described():
    missing = [one for one in addresses() if one not in spelt_out(API) and "schema" not in one]

    assert not missing


def test_every_refusal_that_a_caller_can_get_is_listed():
    for package in (runs.learning, runs.control):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    of_ours = [one for one in refusals(Refused) if not one.__module__.startswith("tests.") and one.status < 500]

    assert not {one.code for one in of_ours if f"`{one.code}`" not in API} - BEHIND_A_DOOR


def test_every_reason_to_wait_is_explained():
    assert not [str(reason) for reason in WaitReason if f"`{reason}`" not in API]


def test_every_code_that_operators_are_told_of_exists():
    told = set(
        re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", OPERATING.partition("## Dead letters")[2].partition("## Judges")[0])
    )

    assert told <= FAULTS.keys()


@pytest.mark.parametrize("verb", sorted(VERBS.keys() - {"help"}))
def test_every_verb_and_its_options_are_described(verb):
    parser = argparse.ArgumentParser()
    importlib.import_module(f"cli.verbs.{verb.replace('-', '_')}").declare(parser)
    options = {word for action in parser._actions for word in action.option_strings if word.startswith("--")}

    assert f"`{verb}" in CLI
    assert not {one for one in options - SHARED if one not in CLI and verb not in {"emulator", "up", "status"}}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if target.startswith(("http:", "https:")):
            continue
        name, _, part = target.partition("#")
        file = (page.parent / name) if name else page
        assert file.exists(), target
        if part:
            headings = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
            assert part in map(anchor, headings), target
