"""Keys that a process has at hand for a minute, so that a thousand looks at jobs do not decrypt a thousand times."""

import time
from collections.abc import Callable

from accounts.vault.access import Use
from accounts.vault.credentials import Credential, Source, credential

KEEP_S = 60.0

_Name = tuple[str, int | None, str, Source]


class Keyring:
    """Credentials by provider, source and whoever's they are. A key that was taken back is used for KEEP_S at most."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[_Name, tuple[float, Credential]] = {}

    def get(self, provider: str, *, owner_id: int | None, request_ref: str, source: Source, use: Use) -> Credential:
        """As `credential` with a source. Reads the database only where the key is not at hand."""
        is_own = source in (Source.REQUEST, Source.CREATOR)
        name = (provider, owner_id if is_own else None, request_ref if source is Source.REQUEST else "", source)
        now = self._clock()
        at, held = self._held.get(name, (now - KEEP_S, None))
        if held is not None and now - at < KEEP_S:
            return held
        self._held = {other: entry for other, entry in self._held.items() if now - entry[0] < KEEP_S}
        found = credential(provider, owner_id=owner_id, request_ref=request_ref, source=source, use=use)
        self._held[name] = (now, found)
        return found
