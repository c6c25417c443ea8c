"""From what the device's flags say to the words of ups.status: gathered, debounced, decided."""
