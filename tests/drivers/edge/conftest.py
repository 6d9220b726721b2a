"""The process driver's folder for its tests, which other users may pass through."""

from tests.drivers.process.conftest import place

__all__ = ["place"]
