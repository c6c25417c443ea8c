"""The examples of README and docs: run, parsed, or named as what cannot be run here."""
