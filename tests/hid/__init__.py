"""Tests of hid."""
