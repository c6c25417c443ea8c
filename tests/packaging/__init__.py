"""Tests of what is handed out: wheel, source archive, Debian package."""
