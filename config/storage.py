"""Where media is kept: ZAP_STORAGE_URL, read into Django's STORAGES.

`file:///folder`, or `s3://KEY:SECRET@host:port/bucket?region=…`. Without a host it is AWS itself; without a key it is
whatever the vendor's own variables, files or roles give. The address may hold a secret: no sentence repeats it.
"""

import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from config.env import Environment

_NAME = "ZAP_STORAGE_URL"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*")  # a name, or an IPv6 address
_REGION = re.compile(r"[a-z0-9-]{1,40}")
_FLAGS = {"0": False, "1": True}
_KNOWN = ("region", "tls", "style", "public", "direct")
_LIKE = "s3://KEY:SECRET@host/bucket?region=eu-central-1"
_HINT = f"Write it like {_LIKE}, with / and + in the secret as %2F and %2B."


class _Wrong(Exception):
    """A sentence about the address, without any of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """What stands behind the question mark."""

    region: str
    tls: bool
    style: str  # of the addresses: the bucket's name in the `path`, or as a `virtual` host
    public: str  # where callers reach the host, if they do so otherwise than we
    direct: bool


def read(env: Environment, *, default: str) -> dict[str, Any]:
    """The entry `default` of STORAGES. What is wrong is left with `env`, and `default` stands in for it."""
    address = env.secret(
        _NAME,
        default,
        about=f"Where media is kept: `file:///folder`, or `{_LIKE}`; see [operating](operating.md#media-in-a-bucket).",
        shown="`media` in the data folder",
    )
    try:
        return _s3(address) if address.startswith("s3://") else _files(address)
    except _Wrong as exc:
        env.refuse(f"{_NAME} {exc}")
        return _files(default)


def _files(address: str) -> dict[str, Any]:
    if not address.startswith("file://"):
        raise _Wrong("must begin with file:// or s3://.")
    # A worker that died in the middle left the same name behind: whoever comes next writes it whole.
    options = {"location": unquote(urlsplit(address).path.rstrip("/")), "base_url": None, "allow_overwrite": True}
    return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}


def _s3(address: str) -> dict[str, Any]:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _Wrong(f"is no address. {_HINT}") from None
    bucket = parts.path.strip("/")
    if host and not _HOST.fullmatch(host):
        raise _Wrong(f"names no host. {_HINT}")
    if not _BUCKET.fullmatch(bucket) or parts.fragment:
        raise _Wrong(f"names no bucket. {_HINT}")
    if bool(parts.username) != bool(parts.password):
        raise _Wrong("holds a key without a secret, or a secret without a key.")
    if find_spec("storages") is None or find_spec("boto3") is None:
        raise _Wrong("begins with s3://, for which the extra s3 has to be installed: pip install 'zaps[s3]'.")
    asked = _options(parts.query, has_host=bool(host))
    options: dict[str, Any] = {
        "bucket_name": bucket,
        "region_name": asked.region,
        "endpoint_url": _endpoint(host, port, tls=asked.tls),
        "addressing_style": asked.style,
        "public_url": asked.public,
        "takes_uploads": asked.direct,
    }
    if parts.username:  # with the address's own key goes no session token of the environment's
        options |= {"access_key": unquote(parts.username), "secret_key": unquote(parts.password or "")}
        options["security_token"] = None
    return {"BACKEND": "runs.s3.BucketStorage", "OPTIONS": options}


def _endpoint(host: str | None, port: int | None, *, tls: bool) -> str | None:
    if not host:
        return None
    name = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{name}{f':{port}' if port else ''}"


def _options(query: str, *, has_host: bool) -> _Options:
    given = dict(parse_qsl(query, keep_blank_values=True))
    if not set(given) <= set(_KNOWN):
        raise _Wrong(f"has an option that we do not know. There are {', '.join(_KNOWN)}.")
    style = given.get("style", "path" if has_host else "virtual")
    region = given.get("region", "us-east-1")
    public = given.get("public", "").rstrip("/")
    flags = [given.get("tls", "1"), given.get("direct", "1")]
    if style not in ("path", "virtual") or not _REGION.fullmatch(region) or not set(flags) <= set(_FLAGS):
        raise _Wrong("has a bad option: style is path or virtual; tls and direct are 0 or 1; region is a name.")
    if public and not _is_origin(public):
        raise _Wrong("has a bad option: public is an origin, like https://media.example.com.")
    tls, direct = (_FLAGS[word] for word in flags)
    return _Options(region=region, tls=tls, style=style, public=public, direct=direct)


def _is_origin(address: str) -> bool:
    try:
        parts = urlsplit(address)
        is_bare = address == f"{parts.scheme}://{parts.netloc}" and "@" not in parts.netloc
        return is_bare and parts.scheme in ("http", "https") and bool(_HOST.fullmatch(parts.hostname or ""))
    except ValueError:
        return False
