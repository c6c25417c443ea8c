"""A driver for USB HID Power Device class UPSes that speaks to Network UPS Tools."""

__version__ = "0.1.0"
