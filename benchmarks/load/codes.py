"""The latents that are asked for."""

import numpy as np
import numpy.typing as npt

LATENT_SIZE = 100


def code_of(seed: int) -> npt.NDArray[np.float32]:
    """A latent z [Z] of its own for each seed: no picture is asked for twice, so that no cache can answer."""
    return np.random.default_rng(seed).standard_normal(LATENT_SIZE, np.float32)
