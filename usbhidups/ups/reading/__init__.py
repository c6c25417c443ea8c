"""What to ask of the device, what to believe of its answers, and whether they are still true.

``reader`` is the whole; it knows reports, not meanings.
"""
