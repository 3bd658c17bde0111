"""What the schema shows of running a recipe: requests and answers as they are."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

_RUN = "run_4k9f2c8s1x7q3b5z"
_URLS = {"statusUrl": f"/api/runs/{_RUN}", "eventsUrl": f"/api/runs/{_RUN}/events"}
_NOW = 1_795_278_561_747
_MONEY = {"quoteUsd": 0.025, "mostUsd": 0.05, "capUsd": 0.5}


def _planned(**more: Any) -> dict[str, Any]:
    return {
        "stepId": "portrait",
        "order": 0,
        "kind": "image.gen",
        "provider": "fal",
        "model": "fal-ai/flux/dev",
        "candidates": 1,
        "quoteUsd": 0.025,
        "firstUsd": 0.025,
        "status": "queued",
        "parents": [],
        **more,
    }


_ATTEMPT = {
    **{"number": 1, "round": 1, "role": "make", "status": "done", "provider": "fal", "model": "fal-ai/flux/dev"},
    **{"progress": 1, "queuePosition": None, "seed": 7, "logs": [], "polls": 2, "tries": 1},
    **{"priceQuoteUsd": 0.025, "reservedUsd": 0, "actualUsd": 0.025, "costSource": "quoted"},
    **{"createdAt": _NOW, "submittedAt": _NOW, "acceptedAt": _NOW, "settlingAt": _NOW, "finishedAt": _NOW},
    **{"nextCheckAt": None, "error": None, "errorDetail": None},
}
_STEP = {
    **{"runId": _RUN, "stepId": "portrait", "order": 0, "kind": "image.gen", "provider": "fal"},
    **{"model": "fal-ai/flux/dev", "status": "waiting", "waitReason": "approval", "progress": 1, "parents": []},
    **{"round": 1, "candidates": 1, "chosenAttempt": None, "can": ["approve", "retry", "reject"]},
    **{"priceQuoteUsd": 0.025, "reservedUsd": 0, "actualUsd": 0.025, "startedAt": _NOW, "finishedAt": None},
    **{"attempts": [_ATTEMPT], "error": None, "errorDetail": None},
    "waits": {
        "reason": "approval",
        "message": "A person must look at what was made, and approve it.",
        "since": _NOW,
        "until": None,
        "onTimeout": None,
        "choices": [{"assetId": "asset_386z913djsp6fckx", "attempt": 1, "score": 0.82}],
    },
}
_ASSET = {
    **{"assetId": "asset_386z913djsp6fckx", "runId": _RUN, "stepId": "portrait", "attempt": 1, "chosen": False},
    **{"kind": "png", "contentType": "image/png", "url": "/api/assets/asset_386z913djsp6fckx/content"},
    **{"sha256": "9f" * 32, "sizeBytes": 83120, "width": 1280, "height": 720, "durationS": None, "parents": []},
    "createdAt": _NOW,
}
_ROW = {
    **{"runId": _RUN, "parentRunId": None, "zapSlug": "hello-film", "zapVersion": 1, "zapUrl": None},
    **{"output": "Hello.mp4", "status": "waiting", "stage": "review", "waitReason": "approval"},
    **{"providerMode": "live", "inputs": {"CREATURE": "a hedgehog"}, "contentHash": "c0" * 32, "revision": 7},
    **{"quoteUsd": 0.025, "capUsd": 0.5, "reservedUsd": 0, "costUsd": 0.025, "startedAt": _NOW, "finishedAt": None},
    **{"kept": False, "can": ["cancel", "fork"], **_URLS, "error": None, "errorDetail": None},
}

ORDERS = [
    OpenApiExample(
        "A recipe of the catalogue, with the free mock provider",
        request_only=True,
        value={"slug": "hello-film", "inputs": {"CREATURE": "a hedgehog"}, "mode": "mock"},
    ),
    OpenApiExample(
        "What it would cost",
        request_only=True,
        value={"slug": "hello-film", "mode": "plan", "provider": "fal", "maxUsd": 1.5},
    ),
    OpenApiExample(
        "A plan",
        response_only=True,
        status_codes=["200"],
        value={
            **{"runId": None, "status": "planned", "slug": "hello-film", "version": 1, "mode": "plan"},
            **_MONEY,
            "steps": [_planned(status="planned", prompt="A hedgehog in a raincoat, …")],
            "warnings": [],
        },
    ),
    OpenApiExample(
        "A run",
        response_only=True,
        status_codes=["202"],
        value={"runId": _RUN, "status": "queued", **_URLS, **_MONEY, "steps": [_planned()], "warnings": []},
    ),
]
SNAPSHOT = [
    OpenApiExample(
        "A run that waits for a person",
        response_only=True,
        value={"run": _ROW, "steps": [_STEP], "assets": [_ASSET], "feedback": [], "remainingBudgetUsd": 0.475},
    )
]
PAGE = [OpenApiExample("The last page", response_only=True, value={"runs": [_ROW], "nextCursor": None})]
APPROVAL = [
    OpenApiExample(
        "One of several",
        request_only=True,
        value={"assetId": "asset_386z913djsp6fckx", "comment": "The left one."},
    )
]
