"""What a verb says when it cannot do what it was asked: a problem document, as the HTTP interface gives it."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from cli.exits import Exit, of_problem
from core.errors import BadInput, Problem, ZapsError


class Fault(Exception):
    """The verb ends here. `document` is what --json prints; `place` names the file that a problem's line is in."""

    def __init__(self, document: Mapping[str, Any], *, exit_code: Exit, place: str = "") -> None:
        super().__init__(str(document.get("detail", "")))
        self.document = dict(document)
        self.exit_code = exit_code
        self.place = place


def fault(
    code: str,
    detail: str,
    *,
    exit_code: Exit,
    remediation: str = "",
    problems: Iterable[Problem] = (),
    retryable: bool = False,
) -> Fault:
    """A fault of the command itself, as a problem document."""
    document = {
        "type": f"urn:zap:problem:{code}",
        "title": detail,
        "code": code,
        "detail": detail,
        "remediation": remediation,
        "retryable": retryable,
        "errors": [asdict(problem) for problem in problems],
    }
    return Fault(document, exit_code=exit_code)


def bad_input(code: str, detail: str, remediation: str = "") -> Fault:
    """The caller wrote something that cannot be meant."""
    return fault(code, detail, exit_code=Exit.BAD_INPUT, remediation=remediation)


def of_error(error: ZapsError, *, place: str = "") -> Fault:
    """An error of ours, as the HTTP border would have told it."""
    problems = error.problems if isinstance(error, BadInput) else ()
    document = {
        "type": f"urn:zap:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
        "remediation": error.remediation,
        "retryable": error.retryable,
        "errors": [asdict(problem) for problem in problems],
        **error.extra,
    }
    return Fault(document, exit_code=of_problem(error.status), place=place)


def lines(document: Mapping[str, Any], *, place: str = "") -> list[str]:
    """The document for a person: what is wrong line by line, then the sentence, then what to do."""
    told = [problem_line(problem, place=place) for problem in document.get("errors", ())]
    told.append(f"{document.get('code', 'UNKNOWN')}: {document.get('detail') or document.get('title', '')}")
    if document.get("remediation"):
        told.append(f"  {document['remediation']}")
    return told


def problem_line(problem: Mapping[str, Any], *, place: str = "") -> str:
    """`file:line:column: CODE message`, the form that editors can jump to."""
    where = place
    if problem.get("line") is not None:
        where = f"{place or 'recipe'}:{problem['line']}:{problem.get('column') or 1}"
    said = f"{problem['code']} {problem['message']}"
    if not where:
        where = str(problem.get("path") or "")
    return f"{where}: {said}" if where else said


@contextmanager
def inside(place: str) -> Iterator[None]:
    """Let whatever goes wrong in here be told of that file. Raises Fault for every error of ours."""
    try:
        yield
    except Fault as exc:
        exc.place = exc.place or place
        raise
    except ZapsError as exc:
        raise of_error(exc, place=place) from exc
