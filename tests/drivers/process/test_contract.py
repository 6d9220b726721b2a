"""The process driver keeps every driver's promises, with real processes."""

import pytest

from tests.drivers.contract import DriverContract

pytestmark = pytest.mark.real


class TestProcess(DriverContract):
    @pytest.fixture
    def stage(self, watched):
        return watched
