"""A UPS that is not there: a USB/IP server that exports a fixture's device, with behaviour and faults.

It shares the fixture format with the driver and nothing else: no line of hid/, ups/ or nut/.
"""
