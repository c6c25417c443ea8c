"""Tests of the last step: the cut that brings the host back."""
