"""What it costs: figures of this machine, each beside a yardstick measured in the same run.

`python -m benchmarks` runs all, `python -m benchmarks agent_cache` the ones of a module.
"""
