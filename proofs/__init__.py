"""What the papers claim about the methods, reproduced: `python -m proofs`."""
