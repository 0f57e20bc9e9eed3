"""What the methods without training work with."""

import pytest
from styled import make_styled

from latentwalk.gan.artifacts import ArtifactStore, save_generator
from latentwalk.trainer.materials import Materials


@pytest.fixture
def materials(artifacts_url, tmp_path):
    """Of a store with a generator "styled", too."""
    store = ArtifactStore(artifacts_url)
    save_generator(store, "styled", make_styled(), provenance={}, created="2026-01-01T00:00:00Z")
    return Materials(store, tmp_path)
