"""For uvicorn: `uvicorn config.asgi:application --lifespan off`."""

import gc
import logging
import os

from django.core.asgi import get_asgi_application

from config.bodies import BodyCap
from config.logs import Hiding
from config.patience import Patience
from providers.download import Limits

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Here every request has a thread of its own, so a connection kept by a thread would never be used again.
os.environ.setdefault("ZAP_DB_POOL", "16")

# uvicorn writes whole addresses, and has set its loggers up before it comes here.
logging.getLogger("uvicorn.access").addFilter(Hiding())

application = Patience(BodyCap(get_asgi_application(), upload_bytes=Limits.of(os.environ).largest_bytes))

# What was made so far stays to the end: the garbage collector need not look at it again and again.
gc.collect()
gc.freeze()
