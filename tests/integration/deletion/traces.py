"""Looking for what should be gone: in every table, every file, and the cache."""

import zlib
from base64 import b64encode
from pathlib import Path

from django.core.files.storage import default_storage
from django.db import connection

from core import hints
from media.mock import mock_media

#: what may still hold it: deleted by the purge of its own retention, or never anybody's content
ELSEWHERE = {"django_migrations", "pg_stat_statements"}


def picture(text, seed="a"):
    """A picture whose bytes say that text; of another seed, other bytes."""
    content = mock_media("png", seed=seed, label="x", width=128, height=96, duration_s=None)
    body = b"tEXtComment\0" + text.encode()
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    return content[:33] + chunk + content[33:]


def data_uri(content):
    return f"data:image/png;base64,{b64encode(content).decode()}"


def tables_with(text):
    """Every table that has a row in which it stands, however it is written."""
    names = [name for name in connection.introspection.table_names() if name not in ELSEWHERE]
    with connection.cursor() as cursor:
        found = []
        for name in names:
            cursor.execute(f'SELECT count(*) FROM "{name}" t WHERE t::text ILIKE %s', [f"%{text}%"])
            if cursor.fetchone()[0]:
                found.append(name)
    return sorted(found)


def files_with(text):
    """Every stored file whose name or bytes hold it."""
    return [name for name in stored() if text.encode() in name.encode() + Path(default_storage.path(name)).read_bytes()]


def stored():
    """Every file that there is."""
    root = Path(default_storage.path(""))
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def cached():
    """Every key of the cache that names a small picture."""
    return sorted(key.decode() for key in hints.client().scan_iter("*thumbnail*"))
