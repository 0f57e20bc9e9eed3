"""What a job works with, as it gets it."""

from dataclasses import replace

import pytest
import torch
from dcgan import make_dcgan

from latentwalk.gan.artifacts import ArtifactStore, save_generator
from latentwalk.gan.latents import latents_from_seeds
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.specs import JobSpec, SefaSpec

PLAIN = GeneratorSpec("dcgan", 8, 0, 16, 3, {"width": 4})


@pytest.mark.parametrize("own_range", [PLAIN.range, (0.0, 1.0)])
def test_a_job_sees_the_pictures_of_any_generator_as_data_sets_have_them(artifacts_url, tmp_path, own_range):
    own, store = make_dcgan(replace(PLAIN, range=own_range)), ArtifactStore(artifacts_url)
    save_generator(store, "own", own, provenance={}, created="2026-01-01T00:00:00Z")
    seen = Materials(store, tmp_path).generator(JobSpec("own", 1, "d", 0, 50, "sefa", SefaSpec()))
    z = latents_from_seeds(range(4), PLAIN)
    black, white = own_range
    torch.testing.assert_close(black + (white - black) * (seen(z) + 1) / 2, own(z), rtol=0, atol=1e-6)
    assert (seen.spec, seen.digest) == (PLAIN, own.digest)
