"""What a client may have the device do: commands and settings become plans; nothing is sent here."""
