"""The HTTP interface without HTTP: its views, called in this process on this machine's own database.

There is no socket and no browser, so nobody has to log in: the caller is the staff user `local`.
"""

import io
import json
import os
from contextlib import closing
from inspect import iscoroutinefunction
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

import django
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import default_storage
from django.core.handlers.wsgi import WSGIRequest
from django.core.management import call_command
from django.db import OperationalError, close_old_connections, connection
from django.http import Http404
from django.urls import resolve

from cli import faults
from cli.client import Client, read_answer, upload_of
from cli.exits import Exit
from cli.form import FileForm

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

LOCAL_USER = "local"


def set_up() -> None:
    """Make Django and, where they are embedded, the servers and their tables ready. Raises Fault."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("ZAP_LOG_LEVEL", "WARNING")  # what goes well is shown, not logged
    try:
        django.setup()
        if not os.environ.get("DATABASE_URL"):
            call_command("prepare", stdout=io.StringIO())
    except ImproperlyConfigured as exc:
        raise faults.bad_input("SETTINGS_INVALID", str(exc)) from exc
    except OperationalError as exc:
        raise faults.fault(
            "DATABASE_UNAVAILABLE",
            "The database does not answer.",
            exit_code=Exit.FAILED,
            remediation="Check DATABASE_URL.",
        ) from exc


def stand_here() -> None:
    """Set up for a verb that works on this machine's own database. Raises Fault when the caller means another."""
    if os.environ.get("ZAP_API_URL"):
        raise faults.bad_input(
            "LOCAL_ONLY",
            "This works on the server's own machine, and ZAP_API_URL points elsewhere.",
            "Unset ZAP_API_URL, or run it over there.",
        )
    set_up()


def enter() -> Client:
    """A client that acts as the staff user `local`, who is made on first use."""
    set_up()
    return InProcessClient(local_user())


def local_user() -> "AbstractBaseUser":
    """The staff user whom the command line acts as; nobody can log in as it."""
    users = get_user_model()._default_manager
    user, is_new = users.get_or_create(username=LOCAL_USER, defaults={"is_staff": True})
    if is_new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


class InProcessClient:
    """Calls the views themselves, so the command line and the HTTP interface cannot differ."""

    is_local = True

    def __init__(self, user: "AbstractBaseUser") -> None:
        self._user = user

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """See Client. A connection that a restart of the database has broken is replaced first."""
        if not connection.in_atomic_block:  # inside a caller's transaction the connection is the caller's
            close_old_connections()
        content = b"" if body is None else json.dumps(body).encode()
        headers = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
        return self._answer(self._request(method, path, io.BytesIO(content), len(content), **headers))

    def send(self, path: Path) -> str:
        """See Client."""
        with path.open("rb") as file:
            form = FileForm(file, size=os.fstat(file.fileno()).st_size)
            body = io.BufferedReader(form)
            request = self._request("POST", "/api/uploads", body, form.length, CONTENT_TYPE=form.content_type)
            return upload_of(self._answer(request))

    def fetch(self, path: str, into: IO[bytes]) -> None:
        """See Client."""
        request = self._request("GET", path, io.BytesIO(), 0)
        match = resolve(request.path_info)
        response = match.func(request, *match.args, **match.kwargs)
        with closing(response):
            if not response.streaming:
                read_answer(response.status_code, response.content)
            for chunk in response:
                into.write(chunk)

    def _answer(self, request: WSGIRequest) -> Any:
        try:
            match = resolve(request.path_info)
        except Http404:
            return read_answer(404, b'{"code": "NOT_FOUND", "detail": "There is no such address."}')
        view = async_to_sync(match.func) if iscoroutinefunction(match.func) else match.func
        response = view(request, *match.args, **match.kwargs)
        if hasattr(response, "render"):
            response.render()
        try:
            return read_answer(response.status_code, response.content)
        finally:
            request.close()  # and with it whatever it has put on disk

    def path_of(self, storage_key: str) -> str | None:
        """See Client."""
        try:
            path = default_storage.path(storage_key)
        except NotImplementedError:
            return None
        return path if os.path.exists(path) else None

    def _request(self, method: str, path: str, body: IO[bytes], length: int, **headers: str) -> WSGIRequest:
        parts = urlsplit(path)
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),  # as servers hand it on
            "QUERY_STRING": parts.query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(length),
            "HTTP_ACCEPT": "application/json",
            "wsgi.input": body,
            "wsgi.url_scheme": "http",
            **headers,
        }
        request = WSGIRequest(environ)
        request.user = self._user  # type: ignore[assignment]
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]  # no browser, no forged form
        return request
