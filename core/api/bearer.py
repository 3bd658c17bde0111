"""Secrets of the operator's that open one address each."""

import hmac


def shows(authorization: str, secret: str) -> bool:
    """Whether an Authorization header is `Bearer` and that secret. It takes as long for a wrong one."""
    scheme, _, shown = authorization.partition(" ")
    return scheme.lower() == "bearer" and is_secret(shown.strip(), secret)


def is_secret(shown: str, secret: str) -> bool:
    """Whether they are the same; what is no text is not."""
    return hmac.compare_digest(shown.encode(errors="replace"), secret.encode())
