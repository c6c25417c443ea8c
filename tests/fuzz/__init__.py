"""Fuzzing: bytes from strangers against everything that reads them.

``targets`` lists what is fuzzed; ``run`` does it, guided by coverage (atheris, installed by hand), and keeps
in ``corpus/`` one input for each piece of code reached; ``test_corpus`` replays those in the ordinary suite.
A new target is a function and an entry in ``targets``; an input that crashed one goes into its corpus file.
"""
