"""A bucket on loopback that speaks S3: moto keeps the objects, and a gate before it holds callers to what was signed.

moto itself looks at no key, signature, expiry or policy. The gate checks those of addresses and of forms, as AWS
describes them, and hands a form that is good to moto as a plain object; of what the server itself sends it checks the
key's name alone.
"""

import base64
import hashlib
import hmac
import io
import json
import logging
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from urllib.parse import parse_qsl, quote

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.formparser import parse_form_data
from werkzeug.serving import make_server

KEY, SECRET, REGION = "AKIDTESTS", "se/cret+word", "eu-central-1"
_NAMES = count(1)
logging.getLogger("werkzeug").setLevel(logging.ERROR)


class Server:
    """All the buckets of a test session."""

    def __init__(self):
        self.refusing = None  # a status, while nothing is let through
        self.seen = []  # method and path of every request
        self.tokens = []  # and what it identified itself with
        moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._gate(moto), True, request_handler=MotoRequestHandler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.client = boto3.client(
            "s3", endpoint_url=f"http://{self.host}", region_name=REGION,
            aws_access_key_id=KEY, aws_secret_access_key=SECRET,
        )  # fmt: skip

    @property
    def host(self):
        return f"127.0.0.1:{self._server.server_port}"

    def new_bucket(self):
        """A fresh bucket, and the setting that names it."""
        name = f"media-{next(_NAMES)}"
        self.client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        return name, f"s3://{KEY}:{quote(SECRET, safe='')}@{self.host}/{name}?region={REGION}&tls=0"

    def close(self):
        self._server.shutdown()

    def _gate(self, moto):
        def answer(environ, start_response):
            self.seen.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
            self.tokens.append(environ.get("HTTP_AUTHORIZATION", ""))
            refusal = self.refusing or _refusal(environ)
            if refusal:
                start_response(f"{refusal} Refused", [("Content-Type", "application/xml"), ("Content-Length", "0")])
                return [b""]
            return moto(environ, start_response)

        return answer


def _refusal(environ):
    """A status, or None for a request that S3 would let in."""
    if environ["REQUEST_METHOD"] == "POST" and environ.get("CONTENT_TYPE", "").startswith("multipart/form-data"):
        return _of_form(environ)
    if "X-Amz-Signature" in environ["QUERY_STRING"]:
        return _of_address(environ)
    return None if f"Credential={KEY}/" in environ.get("HTTP_AUTHORIZATION", "") else 403


def _signature(scope, text):
    key = f"AWS4{SECRET}".encode()
    for word in scope:
        key = hmac.digest(key, word.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _of_address(environ):
    given = dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True))
    signature = given.pop("X-Amz-Signature")
    scope = given["X-Amz-Credential"].split("/")[1:]
    query = "&".join(f"{quote(name, safe='')}={quote(given[name], safe='')}" for name in sorted(given))
    asked = [environ["REQUEST_METHOD"], quote(environ["PATH_INFO"]), query, f"host:{environ['HTTP_HOST']}\n", "host"]
    asked.append("UNSIGNED-PAYLOAD")
    digest = hashlib.sha256("\n".join(asked).encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", given["X-Amz-Date"], "/".join(scope), digest])
    signed_at = datetime.strptime(given["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    is_late = datetime.now(UTC) > signed_at + timedelta(seconds=int(given["X-Amz-Expires"]))
    return 403 if is_late or signature != _signature(scope, text) or "HTTP_AUTHORIZATION" in environ else None


def _of_form(environ):
    _, form, files = parse_form_data(environ)
    with closing(files["file"]) as file:
        fields, content = dict(form), file.read()
    scope = fields.get("x-amz-credential", "////").split("/")[1:]
    if fields.get("x-amz-signature") != _signature(scope, fields.get("policy", "")):
        return 403
    policy = json.loads(base64.b64decode(fields["policy"]))
    if datetime.now(UTC) > datetime.fromisoformat(policy["expiration"]):
        return 403
    exact = {"bucket": environ["PATH_INFO"].strip("/")}
    exact |= {name: value for name, value in fields.items() if name not in ("policy", "x-amz-signature")}
    wanted = {}
    for condition in policy["conditions"]:
        if isinstance(condition, dict):
            wanted |= {name.lower(): value for name, value in condition.items()}
        else:
            word, least, most = condition
            assert word == "content-length-range"
            if not least <= len(content) <= most:
                return 400
    if wanted != {name.lower(): value for name, value in exact.items()}:
        return 403
    key = f"{environ['PATH_INFO'].rstrip('/')}/{fields['key']}"
    environ |= {"REQUEST_METHOD": "PUT", "PATH_INFO": key, "RAW_URI": key, "REQUEST_URI": key}
    environ |= {"CONTENT_TYPE": fields["Content-Type"], "CONTENT_LENGTH": str(len(content))}
    environ["wsgi.input"] = io.BytesIO(content)
    return None
