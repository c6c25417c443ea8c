"""What developers run: files made from others, the demonstration, pictures. Not installed."""
