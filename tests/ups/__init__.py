"""Tests of ups."""
