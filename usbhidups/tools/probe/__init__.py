"""What is attached, what it says, and why it cannot be read: found out by looking, never by writing.

``look`` reads one open device, ``local`` finds and opens this host's, ``problem`` explains a refusal,
``decode`` reads pasted text instead of a device, ``card`` and ``shape`` show what was found to people and to
programs. Nothing here sends a report to a device; the daemon and its sockets are not needed.
"""
