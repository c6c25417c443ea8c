"""Where a profile comes from: files are found, checked, joined, and the one for a device is chosen."""
