"""Benchmarks: `python -m tests.bench [name…]`, or `make bench` for all. Nothing is asserted; see docs/benchmarks.md."""
