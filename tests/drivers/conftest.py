"""What the rooms of drivers share."""

import pytest

pytest.register_assert_rewrite("tests.drivers.contract")
