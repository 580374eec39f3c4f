"""Benchmarks: each prints a table of ratios and ends with 1 when a bound is missed."""
