"""Everything that is held of an account, as one ZIP of JSON Lines: a file for each kind of thing, a row a line."""

import json
import zipfile
from typing import IO, Any

from django.core.serializers.json import DjangoJSONEncoder

from accounts.leaving.parts import parts

_ABOUT = """What Zaps holds of this account. Each file has one row a line, as JSON.

Of secrets there is nothing here but that there are some. Pictures, clips and sounds are not packed in:
each row of assets.jsonl has the address where its file is read.
"""


def write(user_pk: int, into: IO[bytes]) -> None:
    """Write the ZIP. Rows are read and written a few at a time, however many there are."""
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("README.txt", _ABOUT)
        for part in parts():
            for name, rows in part.export(user_pk).items():
                with packed.open(f"{name}.jsonl", "w", force_zip64=True) as file:
                    for row in rows:
                        file.write(_line(row))


def _line(row: Any) -> bytes:
    return json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False).encode() + b"\n"
