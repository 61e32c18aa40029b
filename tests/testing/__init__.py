"""Tests of stepwell.testing: the virtual clock, mocks, the pytest plugin, explore."""
