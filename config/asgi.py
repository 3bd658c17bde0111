"""For uvicorn: `uvicorn config.asgi:application --lifespan off`."""

import gc
import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Here every request has a thread of its own, so a connection kept by a thread would never be used again.
os.environ.setdefault("ZAP_DB_POOL", "16")

application = get_asgi_application()

# What was made so far stays to the end: the garbage collector need not look at it again and again.
gc.collect()
gc.freeze()
