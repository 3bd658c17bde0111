"""How our emulator answers the same request: what the adapter, as far as it has been tried, expects of the vendor."""

import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from providers import http, registry
from providers.contract import Generation, Provider
from providers.download import Limits, download
from providers.emulator import Emulator
from providers.errors import ProviderError
from providers.transcript import tape
from providers.transcript.page import Transcript
from providers.transcript.writing import Facts, write_down

_KEY = "emulated:key"
_WITHIN_S = 20.0
_EVERY_S = 0.2


def expected(provider: Provider, facts: Facts) -> Transcript | None:
    """The transcript of the same job at the emulator; None where it does not play that provider."""
    with Emulator(queue_s=_EVERY_S, run_s=_EVERY_S) as emulator, tape.recording() as heard:
        if provider.name not in emulator.urls:
            return None
        address = {registry.base_url_variable(provider.name): emulator.urls[provider.name]}
        double = registry.provider(provider.name, environ={**os.environ, **address})
        try:
            _buy(double, facts.generation)
        except ProviderError:  # what was said until then is all that can be expected
            pass
    return write_down(heard, double, facts)


def _buy(provider: Provider, generation: Generation) -> None:
    job = http.hold(provider.submit(generation, key=_KEY, idem_key="expected"))
    snapshot, ends = job.snapshot, time.monotonic() + _WITHIN_S
    while (snapshot is None or not snapshot.is_over) and time.monotonic() < ends:
        snapshot = http.hold(provider.poll(job, key=_KEY))
        time.sleep(_EVERY_S)
    limits = replace(Limits.of({}), allow_loopback=True)
    for output in snapshot.outputs if snapshot else ():
        with tempfile.TemporaryDirectory(prefix="zaps-") as folder:
            download(output, Path(folder), provider=provider, key=_KEY, limits=limits)
