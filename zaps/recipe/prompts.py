"""Prompt texts: inline or from a file under prompts/, with {VARIABLES} that are inputs of the recipe."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from zaps.recipe.errors import Log, did_you_mean, shown
from zaps.recipe.fields import Field
from zaps.recipe.frontmatter import UNSTORABLE

FOLDER = "prompts/"
FILES_AT_MOST = 200
FILE_AT_MOST = 64 * 1024  # characters
_VARIABLE = re.compile(r"\{([A-Z0-9_]+)\}")
_SEGMENT = re.compile(r"[^\s/\\:.][^/\\:\x00-\x1f]*")


def check_files(prompts: Mapping[str, str], log: Log) -> None:
    """Note the files that cannot be prompt files of a recipe."""
    if len(prompts) > FILES_AT_MOST:
        log.add("RECIPE_TOO_MANY", f"There are {len(prompts)} prompt files; at most {FILES_AT_MOST} are kept.", at=0)
        return
    for path, text in prompts.items():
        if not is_safe(path):
            log.add(
                "RECIPE_PROMPT_PATH",
                f"{shown(path)} is no prompt file; those are {FOLDER}….md.",
                at=0,
                path=f"prompts[{path[:80]}]",
            )
        elif len(text) > FILE_AT_MOST:
            log.add(
                "RECIPE_TOO_LARGE", f"{path} has more than {FILE_AT_MOST:,} characters.", at=0, path=f"prompts[{path}]"
            )
        elif UNSTORABLE.search(text):
            log.add(
                "RECIPE_CHARACTER", f"{path} holds a character that cannot be stored.", at=0, path=f"prompts[{path}]"
            )


def is_safe(path: str) -> bool:
    """Whether `path` is a Markdown file that cannot lie anywhere but under prompts/."""
    if not path.startswith(FOLDER) or not path.endswith(".md") or len(path) > 200 or UNSTORABLE.search(path):
        return False
    return all(_SEGMENT.fullmatch(segment) for segment in path.removeprefix(FOLDER).split("/"))


def read_prompt(field: Field, prompts: Mapping[str, str], inputs: Collection[str]) -> tuple[str, str | None]:
    """The text and, where it came from one, the file. Problems are noted at the `prompt` field."""
    word = field.text()
    if word is None:
        return "", None
    is_file = "\n" not in word.strip() and (word.strip().endswith(".md") or word.strip().startswith(FOLDER))
    if not is_file:
        _check_variables(field, word, inputs, file=None)
        return word, None
    path = word.strip()
    if not is_safe(path):
        field.wrong(
            "RECIPE_PROMPT_PATH", f"{shown(path)} is no prompt file; those are {FOLDER}….md, beside the recipe."
        )
        return "", None
    if path not in prompts:
        near = did_you_mean(path, prompts)
        field.wrong("RECIPE_PROMPT_MISSING", f"The prompt file {path} is not there.{near}")
        return "", path
    text = prompts[path]
    _check_variables(field, text, inputs, file=path)
    return text, path


def variables(text: str) -> set[str]:
    """The names of the {VARIABLES} in `text`."""
    return set(_VARIABLE.findall(text))


def fill_in(text: str, values: Mapping[str, Any]) -> str:
    """`text` with its variables replaced, once: braces inside a value stay. What has no value becomes empty."""
    return _VARIABLE.sub(lambda found: str(values.get(found[1], "")), text)


def _check_variables(field: Field, text: str, inputs: Collection[str], *, file: str | None) -> None:
    seen: set[str] = set()
    for found in _VARIABLE.finditer(text):
        name = found[1]
        if name in inputs or name in seen:
            continue
        seen.add(name)
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        place = f"{file}, line {line}, column {column}: " if file else ""
        near = did_you_mean(name, inputs)
        field.wrong(
            "RECIPE_PROMPT_VARIABLE", f"{place}{{{name}}} is no input of this recipe; declare it under `inputs`.{near}"
        )
