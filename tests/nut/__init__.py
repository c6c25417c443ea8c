"""Tests of nut."""
