"""Public ids: a word and 16 random characters, `run_4k9f2c8s1x7q3b5z`."""

import secrets

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no letter that reads like a digit


def new_id(word: str) -> str:
    """A fresh id. 80 random bits: guessing one is hopeless, a clash will not happen."""
    return f"{word}_" + "".join(ALPHABET[byte % 32] for byte in secrets.token_bytes(16))
