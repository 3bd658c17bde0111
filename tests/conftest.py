"""Real servers for every test, started before anything reads a setting."""

import os

import django

from tests.servers import SERVERS, environment

os.environ.update(environment())
django.setup()


def pytest_unconfigure():
    SERVERS.release()
