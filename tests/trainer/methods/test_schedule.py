"""How step sizes fall."""

import pytest

from latentwalk.trainer.methods.schedule import half_cosine


def test_step_sizes_fall_from_all_over_half_to_nothing():
    assert [half_cosine(step, 4) for step in (0, 2, 4)] == pytest.approx([1, 0.5, 0])
    shares = [half_cosine(step, 100) for step in range(101)]
    assert shares == sorted(shares, reverse=True)
