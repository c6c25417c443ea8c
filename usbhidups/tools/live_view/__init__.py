"""The simulator's live view: what a UPS that is not there does, and what is going to happen to it."""
