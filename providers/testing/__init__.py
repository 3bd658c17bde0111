"""What every adapter owes, as tests to inherit from: ours must pass them, and so can anybody's.

    class TestAcme(JobPromises, VendorPromises):
        @pytest.fixture
        def case(self, emulator): ...

Nothing but tests imports this package: it needs pytest.
"""

import pytest

pytest.register_assert_rewrite("providers.testing.jobs", "providers.testing.vendor")

from providers.testing.case import PROMPT, Case, emulated, picture  # noqa: E402  # rewritten only if imported after it
from providers.testing.jobs import JobPromises  # noqa: E402
from providers.testing.vendor import VendorPromises  # noqa: E402

__all__ = ["PROMPT", "Case", "JobPromises", "VendorPromises", "emulated", "picture"]
