"""Benchmarks: `python -m bench.NAME [--quick] [--json]`, each figure beside a bound or baseline of the same run."""
