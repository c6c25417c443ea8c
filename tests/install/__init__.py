"""Tests of what is installed: units, scripts, the layout."""
