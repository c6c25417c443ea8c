"""Tests of usb."""
