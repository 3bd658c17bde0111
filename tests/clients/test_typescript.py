"""The TypeScript client, by its own tools: its tests are compiled first, so every type fits, or it fails."""

from clients.node import CLIENT
from tests.node import needs_node, npm


@needs_node
def test_the_clients_own_tests_pass():
    npm(CLIENT, "test")
