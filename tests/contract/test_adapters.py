"""Every adapter of ours keeps what adapters promise."""

import pytest

from providers.testing import Case, JobPromises, VendorPromises
from tests.contract.cases import CASES, EMULATED


class TestJobs(JobPromises):
    @pytest.fixture(params=CASES)
    def case(self, request, emulator) -> Case:
        return CASES[request.param](emulator)


class TestVendors(VendorPromises):
    @pytest.fixture(params=EMULATED)
    def case(self, request, emulator) -> Case:
        return CASES[request.param](emulator)
