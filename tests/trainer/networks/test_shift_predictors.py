"""Predictors of shifts: their shapes, what they see, and that they can learn to tell."""

import pytest
import torch
from torch.nn import functional as F

from latentwalk.trainer.networks.shift_predictors import TRUNKS, SeparatePredictors, ShiftPredictor


@pytest.mark.parametrize("predictor", [ShiftPredictor, SeparatePredictors])
@pytest.mark.parametrize("family", TRUNKS)
@pytest.mark.parametrize(("channels", "side"), [(1, 8), (3, 16), (1, 32), (3, 64)])
def test_every_predictor_says_which_and_how_far_for_each_bank(predictor, family, channels, side):
    network = predictor(family, channels, 3, 5).eval()
    which, how_far = network(torch.randn(2, channels, side, side), torch.randn(2, channels, side, side))
    assert which.shape == (2, 15)
    assert how_far.shape == (2, 3)


def test_separate_predictors_share_nothing_and_stand_in_the_order_of_the_banks():
    network = SeparatePredictors("lenet", 1, 2, 4).eval()
    plain, shifted = torch.randn(2, 3, 1, 16, 16)
    which, how_far = network(plain, shifted)
    for bank, predictor in enumerate(network.banks):
        own_which, own_how_far = predictor(plain, shifted)
        assert torch.equal(own_which, which[:, 4 * bank : 4 * bank + 4])
        assert torch.equal(own_how_far, how_far[:, bank : bank + 1])
    single = ShiftPredictor("lenet", 1, 1, 4)
    assert sum(map(torch.numel, network.parameters())) == 2 * sum(map(torch.numel, single.parameters()))


@pytest.mark.parametrize("predictor", [ShiftPredictor, SeparatePredictors])
def test_pictures_larger_than_its_size_are_shrunk_by_area_and_no_others_are(predictor):
    torch.manual_seed(0)
    network = predictor("lenet", 3, 2, 4, 32).eval()
    torch.manual_seed(0)
    whole = predictor("lenet", 3, 2, 4).eval()
    pair = torch.randn(2, 5, 3, 80, 80)
    small = [F.interpolate(one, 32, mode="area") for one in pair]
    for said, expected in zip(network(*pair), whole(*small), strict=True):
        torch.testing.assert_close(said, expected)
    assert not torch.allclose(network(*pair)[0], whole(*pair)[0])
    assert torch.equal(network(*small)[0], whole(*small)[0])


def test_both_pictures_matter():
    network = ShiftPredictor("lenet", 1, 1, 4).eval()
    one, two, three = torch.randn(3, 1, 1, 32, 32)
    answers = [network(*pair)[0] for pair in ((one, two), (two, one), (one, three), (three, two))]
    assert len({tuple(answer.flatten().tolist()) for answer in answers}) == 4
