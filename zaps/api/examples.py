"""What the schema shows of checking a recipe: requests and answers as they are."""

from drf_spectacular.utils import OpenApiExample

_RECIPE = "---\nzap: one-picture\nversion: 2\nbudget: {estimate_usd: 0.03, cap_usd: 0.1}\nsteps: …\n---\n"

CHECKS = [
    OpenApiExample("A recipe", request_only=True, value={"source": _RECIPE, "prompts": {"prompts/a.md": "A door."}}),
    OpenApiExample(
        "What is wrong with it",
        response_only=True,
        value={
            "ok": False,
            "errors": [
                {
                    "code": "FIELD_INVALID",
                    "message": "steps must be a list.",
                    "line": 5,
                    "column": 8,
                    "path": "steps",
                }
            ],
        },
    ),
]
