"""Other servers of models, measured beside ours in the same run: `python -m benchmarks.peers`."""
