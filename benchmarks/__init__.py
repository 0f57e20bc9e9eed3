"""What we claim about speed: one script a claim, each measured against the bare engine or a peer in the same run."""
