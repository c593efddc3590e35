"""Benchmarks: `python -m tests.bench [name…]`, or `make bench` for all of them. Nothing here is asserted; see docs/benchmarks.md."""
