"""How long does an operator wait for a list of the admin, when each table has a million rows?

    ./dev bench admin

Every list that is registered is asked for: its first pages, one from the middle and back, every choice of every
filter, and searches that find something and that do not; and the first page of all, with nothing kept of it.
What is measured is the whole answer, made in this process; the database is real.
"""

import statistics
import time
from collections.abc import Iterator
from typing import Any

from bench import _place as place
from bench import _rows

_NONE = "nothing-of-that-name"
_OF_RUN = ("run_{mid}", "run_{mid} clip")
_SENT = ("job-{mid}", "zap:idem:{mid}")
_ORDERED = ("bench", "recipe-7", "recipe")

# What is searched for in each list that has a box for it; one that is missing here ends the measurement.
SEARCHES: dict[str, tuple[str, ...]] = {
    "accounts.ApiToken": ("zap_{mid}", "zap_", "laptop", "bench"),
    "accounts.Departure": ("{mid}", "person-{mid}"),
    "accounts.IdempotencyKey": ("user:1", "user:1 key-{mid}", "run_{mid}"),
    "accounts.OperatorKeyGrant": ("person-{mid}",),
    "accounts.OperatorPrice": ("fal", "model-7"),
    "accounts.Retention": ("person-{mid}",),
    "accounts.Secret": ("bench", "fal", "run_{mid}", "0" * 32),
    "accounts.SecretAccess": ("bench", "user:7", "run_{mid}"),
    "admin.LogEntry": ("bench", "run_{mid}", "{mid}"),
    "auth.Group": ("name_7",),
    "auth.User": ("person-{mid}", "person-", "person-{mid}@example.com", "{mid}"),
    "automations.Batch": ("batch_id_{mid}", *_ORDERED),
    "automations.Firing": ("schedule_id_{mid}", "trigger_id_{mid}", "batch_id_{mid}", "run_{mid}"),
    "automations.Schedule": ("schedule_id_{mid}", *_ORDERED),
    "automations.Trigger": ("trigger_id_{mid}", *_ORDERED),
    "django_celery_beat.PeriodicTask": ("task-{mid}", "task-"),
    "flows.FlowAttempt": ("flow_{mid}", "flow_{mid}.1"),
    "flows.FlowEvent": ("event-{mid}", "common", "rare"),
    "flows.FlowManifest": ("flow-{mid}",),
    "flows.FlowOutput": ("flow_{mid}", "flow_{mid}.1"),
    "flows.FlowRun": ("flow_{mid}", "event-{mid}"),
    "flows.FlowSweepLog": ("PROVIDER_UNAVAILABLE", "NO_SUCH_CODE"),
    "notifications.Delivery": ("evt_{mid}", "hook_{mid}", "run_{mid}"),
    "notifications.Endpoint": ("hook_{mid}", "run_{mid}", "bench"),
    "runs.Allowance": ("person-{mid}",),
    "runs.Asset": ("asset_{mid}", *_OF_RUN, "0" * 64),
    "runs.Attempt": (*_OF_RUN, *_SENT),
    "runs.Budget": ("owner:{mid}", "owner:", "person-{mid}"),
    "runs.Circuit": ("fal", "fal-ai", "acct_{mid}"),
    "runs.CronLog": ("drain", "PROVIDER_UNAVAILABLE", "NO_SUCH_CODE"),
    "runs.DeadLetter": (*_OF_RUN, "PROVIDER_UNAVAILABLE", "NO_SUCH_CODE", "fal-ai/veo3", "recipe-7"),
    "runs.Feedback": (*_OF_RUN, "asset_{mid}"),
    "runs.LedgerEntry": ("run_{mid}", "bench"),
    "runs.ProviderAccount": ("acct_{mid}", "acct_"),
    "runs.Run": ("run_{mid}", *_SENT, "bench", "user:1", "recipe-7", "recipe"),
    "runs.RunEvent": ("run_{mid}", "user:1", "user:2"),
    "runs.RunShare": ("share_{mid}", "run_{mid}", "user:1"),
    "runs.Step": (*_OF_RUN, *_SENT),
    "runs.Webhook": ("run_{mid}", "job-{mid}", "fal", "gmi"),
    "zaps.Zap": ("recipe-{mid}", "recipe-", "bench"),
    "zaps.ZapVersion": ("recipe-{mid}", "0" * 64),
}


def main() -> None:
    options = place.arguments(__doc__, rows=1_000_000, rounds=5)
    with place.own_servers(ALLOWED_HOSTS="testserver"):
        place.report(options, measure(options))


def measure(options: Any) -> dict[str, Any]:
    from django.contrib.auth.models import User  # noqa: PLC0415 (after own_servers)
    from django.test import Client  # noqa: PLC0415
    from django.test.utils import setup_test_environment, teardown_test_environment  # noqa: PLC0415

    began = time.perf_counter()
    _rows.fill(options.rows)
    filled_s = time.perf_counter() - began
    browser = Client()
    browser.force_login(User.objects.create_superuser("bench", pk=1))
    setup_test_environment()  # what a page was made of is seen only so, and costs time
    asked = list(addresses(browser))
    teardown_test_environment()
    times = {address: [_time(browser, address) for _ in range(options.rounds)] for address in asked}
    every = sorted(time_ms for found in times.values() for time_ms in found)
    slowest = sorted(times, key=lambda address: -statistics.median(times[address]))[:8]
    return {
        "rows of each table": options.rows,
        "seconds to fill": round(filled_s),
        "pages": len(times),
        "ms, median": round(statistics.median(every)),
        "ms, p95": round(every[int(0.95 * (len(every) - 1))]),
        "ms, worst": round(every[-1]),
        **{f"ms, {address}": round(statistics.median(times[address])) for address in slowest},
    }


def addresses(browser: Any) -> Iterator[str]:
    """The first page of all, and of every list that the admin has what an operator may ask it for."""
    from django.contrib import admin  # noqa: PLC0415 (after own_servers)

    yield "/admin/"
    for model, page in admin.site._registry.items():
        meta: Any = model._meta
        address = f"/admin/{meta.app_label}/{meta.model_name}/"
        yield address
        if "cl" in (context := browser.get(address).context):
            yield from _pages(address, browser, context["cl"])
            yield from _filters(address, context["cl"])
        if page.search_fields:
            middle = meta.concrete_model.objects.count() // 2
            for term in (*SEARCHES[meta.label], _NONE):
                yield f"{address}?q={term.format(mid=middle).replace(' ', '+')}"


def _pages(address: str, browser: Any, shown: Any) -> Iterator[str]:
    """The second page, one from the middle and the one before it."""
    if not hasattr(shown, "older_url"):  # Django's own paging, of a table with few rows
        yield f"{address}?p=2"
        return
    if shown.older_url:
        yield f"{address}{shown.older_url}"
    middle = shown.model.objects.count() // 2
    yield from (f"{address}?{side}={middle}" for side in ("after", "before"))


def _filters(address: str, shown: Any) -> Iterator[str]:
    for one in shown.filter_specs:
        yield from (f"{address}{choice['query_string']}" for choice in one.choices(shown) if not choice["selected"])


def _time(browser: Any, address: str) -> float:
    from django.core.cache import cache  # noqa: PLC0415 (after own_servers)

    cache.clear()
    began = time.perf_counter()
    answer = browser.get(address)
    took_ms = (time.perf_counter() - began) * 1000
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}")
    return took_ms


if __name__ == "__main__":
    main()
