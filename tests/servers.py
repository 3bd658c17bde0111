"""PostgreSQL and Valkey of this test session alone: a fresh cluster that vanishes with the process, however it ends."""

import os
import tempfile
from pathlib import Path

from embedded.servers import hold

DATA = Path(tempfile.mkdtemp(prefix="zaps-tests-"))
SERVERS = hold(DATA, ephemeral=True)

#: what a developer's shell may hold and no test may see
_VENDORS = ("COMFYUI_", "FAL_", "GMI_", "OPENROUTER_", "PRODIA_", "REPLICATE_", "RUNWARE_")
_FOREIGN = ("ZAP_", *_VENDORS, "CELERY_", "ALLOWED_HOSTS", "DEBUG", "SECRET_KEY", "DATABASE_URL", "REDIS_URL")


def environment():
    """The settings of the tests; a process that is started with them works on the same servers."""
    for name in [name for name in os.environ if name.startswith(_FOREIGN)]:
        del os.environ[name]
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ZAPS_DATA_DIR": str(DATA),
        "DATABASE_URL": SERVERS.database_url,
        "REDIS_URL": SERVERS.redis_url,
        "SECRET_KEY": "only-for-tests-and-long-enough-to-pass",
        "ZAP_OPERATOR_KEYS_FOR": "everyone",
        "ZAP_CALLS_PER_MINUTE": "0",
        "ZAP_OPEN_CALLS_PER_MINUTE": "0",
        "ZAP_LOGINS_PER_MINUTE": "0",
    }
