"""The operators' door to tokens, idempotency keys, the vault and prices. A key itself is shown nowhere."""

from accounts.admin import prices, secrets, tokens

__all__ = ["prices", "secrets", "tokens"]
