"""What a laptop needs and a server is told: the data folder, a secret key, the embedded servers."""

import base64
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from embedded import servers
from embedded.binaries import NoServer

BASE_DIR = Path(__file__).resolve().parent.parent
_held: list[servers.Servers] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the two servers answer."""

    database_url: str
    redis_url: str


def default_data_dir() -> Path:
    """`.zaps` in the checkout; in the working folder where the code is installed as a package."""
    is_checkout = (BASE_DIR / "pyproject.toml").exists()
    return (BASE_DIR if is_checkout else Path.cwd()) / ".zaps"


def addresses(*, database_url: str, redis_url: str, data: Path) -> Addresses:
    """The addresses as given; what is missing is started here and held until this process ends.

    Raises ImproperlyConfigured when a server cannot be started.
    """
    missing = [name for name, url in ((servers.POSTGRES, database_url), (servers.VALKEY, redis_url)) if not url]
    if not missing:
        return Addresses(database_url=database_url, redis_url=redis_url)
    try:
        held = servers.hold(data, need=tuple(missing))
    except NoServer as exc:
        raise ImproperlyConfigured(str(exc)) from exc
    _held.append(held)
    return Addresses(
        database_url=database_url or held.database_url,
        redis_url=redis_url or held.redis_url,
    )


def keep_hold() -> None:
    """Start the embedded servers again, at the same addresses, if their keeper was killed."""
    for held in _held:
        if not held.is_held():
            held.renew()


def own_secret_key(data: Path) -> str:
    """The secret key of this data folder, made on first use and readable by its owner only."""
    return _own(data, "secret_key", lambda: secrets.token_urlsafe(48))


def own_vault_key(data: Path) -> str:
    """The same for what keeps the providers' keys: a Fernet key."""
    return _own(data, "vault_key", lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())


def _own(data: Path, name: str, make: Callable[[], str]) -> str:
    path = data / name
    data.mkdir(parents=True, exist_ok=True)
    draft = data / f"{name}.{os.getpid()}"
    if not path.exists():
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(make())
        try:
            os.link(draft, path)  # of two processes that start at once, one key wins
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="utf-8")
