"""Measurements of this driver beside NUT's, on the same simulated devices, in the same run.

Not part of the package and not tests: ``python -m benchmarks`` writes docs/benchmarks.md.
"""
