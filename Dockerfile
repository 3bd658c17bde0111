FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

RUN useradd --create-home --uid 10001 zaps \
    && install -d -o zaps -g zaps /var/lib/zaps

WORKDIR /srv/zaps
COPY requirements.lock .
RUN pip install --require-hashes --requirement requirements.lock
COPY . .

USER zaps
VOLUME /var/lib/zaps
EXPOSE 8000
STOPSIGNAL SIGTERM
CMD ["uvicorn", "config.asgi:application", "--host=0.0.0.0", "--port=8000", "--lifespan=off", "--timeout-graceful-shutdown=5", "--no-access-log"]
