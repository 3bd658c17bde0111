"""What drf-spectacular is told: what the OpenAPI document is called, and who completes it."""

from typing import Any

_TAGS = {
    "zaps": "Recipes: find, check, publish, plan and run them.",
    "runs": "Runs of recipes: read, watch, steer, share.",
    "schedules": "Runs by the clock.",
    "triggers": "Addresses that start a recipe.",
    "batches": "Many runs of one recipe.",
    "assets": "What runs made.",
    "uploads": "Media that runs are given.",
    "usage": "What was spent.",
    "session": "Who is calling.",
    "account": "What is held of the caller, and deleting it.",
    "keys": "Keys for programs.",
    "secrets": "Keys of providers.",
    "providers": "Providers: what they make, whether they answer, and what they call.",
    "prices": "What models cost. Staff only.",
    "dead-letters": "What failed for good. Staff only.",
    "webhooks": "Addresses of the caller's that are told what becomes of runs.",
    "notifications": "What the caller is written about.",
    "flows": "Events in, leased work out. Staff, and whoever signs.",
    "server": "The server itself.",
}
_DESCRIPTION = """\
Runs generative-media recipes to a finished film.

Moments are milliseconds since 1970, money is a number of US dollars. Lists are cut by key: `cursor` is the `nextCursor`
of the page before. Every error is an RFC 9457 document; branch on its `code`. Beside the statuses that an operation
names, an address answers 405 to a method that it does not have.
"""

SETTINGS: dict[str, Any] = {
    "TITLE": "Zaps",
    "DESCRIPTION": _DESCRIPTION,
    "VERSION": "0.1.0",
    "OAS_VERSION": "3.1.1",
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    "SERVERS": [{"url": "/", "description": "The server that this document is from."}],
    "TAGS": [{"name": name, "description": about} for name, about in _TAGS.items()],
    "SCHEMA_PATH_PREFIX": "/api",
    "ENUM_NAME_OVERRIDES": {
        "AttemptStatusEnum": "runs.states.AttemptStatus",
        "FlowAttemptStatusEnum": "flows.api.rows.ATTEMPT_STATUSES",
        "FlowRunStatusEnum": "flows.api.rows.RUN_STATUSES",
        "FlowRunnerEnum": "flows.api.rows.RUNNERS",
        "FlowShownStatusEnum": "flows.api.rows.SHOWN_STATUSES",
        "KeySourceEnum": "accounts.vault.credentials.Source",
        "ModeEnum": "runs.order.Mode",
        "ProviderModeEnum": "runs.api.rows.PROVIDER_MODES",
        "RunStatusEnum": "runs.states.RunStatus",
        "StepStatusEnum": "runs.states.StepStatus",
        "ZapStatusEnum": "zaps.api.serializers.STATUSES",
    },
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.api.openapi.complete",
        "runs.api.schema.plain_views",
        "flows.api.schema.plain_views",
        "config.openapi.own_views",
    ],
}
