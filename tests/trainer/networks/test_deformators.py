"""Deformators and banks: what they guarantee at any weights, and that their directions walk as they shift."""

import pytest
import torch

from latentwalk.trainer.methods.telling import slider
from latentwalk.trainer.networks.banks import Banks, overlaps
from latentwalk.trainer.networks.deformators import FIXED, apart_from, build_deformator, orthonormal
from latentwalk.trainer.specs.discovery import DeformatorKind

SIZE, AXES = 12, 5


def disturbed(kind):
    """A deformator of five axes in twelve dimensions with weights that are nothing special."""
    torch.manual_seed(0)
    deformator = build_deformator(kind, SIZE, AXES, dipoles=3)
    with torch.no_grad():
        for parameter in deformator.parameters():
            parameter += torch.randn_like(parameter) / 2
    return deformator


@pytest.mark.parametrize("kind", DeformatorKind)
def test_the_published_direction_walks_as_the_deformator_shifts(kind):
    deformator = disturbed(kind).eval()
    sliders = tuple(slider(str(axis), 3.0) for axis in range(AXES))
    direction = deformator.direction(3.0, name="d", generator_digest="sha256:0", sliders=sliders)
    z, axes = torch.randn(AXES, SIZE), torch.arange(AXES)
    with torch.no_grad():
        expected = deformator(z, axes, torch.full((AXES,), -3.0))
    for axis in range(AXES):
        walked = direction.walk(z[axis : axis + 1], axis, -3.0)[0] - z[axis]
        torch.testing.assert_close(walked, expected[axis], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["linear", "projective"])
def test_columns_beyond_those_of_the_identity_are_drawn(kind):
    torch.manual_seed(0)
    columns = build_deformator(kind, 3, 5, dipoles=0).columns()
    assert torch.equal(columns[:, :3], torch.eye(3))
    torch.testing.assert_close(columns.norm(dim=0), torch.ones(5))


@pytest.mark.parametrize("kind", ["projective", "orthonormal", "rbf", *FIXED])
def test_these_shift_exactly_as_far_as_they_are_told(kind):
    amounts = torch.tensor([0.5, -6.0, 3.0, -0.25, 1.0])
    shifts = disturbed(kind)(torch.randn(AXES, SIZE), torch.arange(AXES), amounts)
    torch.testing.assert_close(shifts.norm(dim=1), amounts.abs())


@pytest.mark.parametrize("kind", sorted(set(DeformatorKind) - set(FIXED)))
def test_every_deformator_that_is_trained_is_moved_by_the_gradient_of_its_shifts(kind):
    deformator = disturbed(kind)
    shifts = deformator(torch.randn(AXES, SIZE), torch.arange(AXES), torch.ones(AXES))
    (shifts * torch.randn_like(shifts)).sum().backward()
    assert all(p.grad.isfinite().all() and p.grad.abs().max() > 0 for p in deformator.parameters())


def test_orthonormal_columns_are_so_to_the_last_bits_and_span_what_they_came_from():
    columns = torch.randn(100, 64)
    q = orthonormal(columns)
    torch.testing.assert_close(q.T @ q, torch.eye(64), rtol=0, atol=1e-6)
    torch.testing.assert_close(q @ (q.T @ columns), columns, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(orthonormal(torch.eye(9, 4)), torch.eye(9, 4))


def test_fixed_columns_are_the_axes_of_the_space_or_an_orthonormal_matrix_of_the_seed():
    assert torch.equal(build_deformator("coordinate", SIZE, AXES, 0).columns(), torch.eye(SIZE, AXES))
    drawn = [disturbed("random").columns() for _ in range(2)]
    assert torch.equal(*drawn)
    torch.testing.assert_close(drawn[0].T @ drawn[0], torch.eye(AXES), rtol=0, atol=1e-6)
    assert (drawn[0].abs() > 1e-3).double().mean() > 0.9
    assert not torch.equal(drawn[0], build_deformator("random", SIZE, AXES, 0).columns())


def test_orthonormal_columns_change_smoothly():
    columns = torch.randn(20, 8)
    assert (orthonormal(columns + 1e-4 * torch.randn(20, 8)) - orthonormal(columns)).abs().max() < 1e-2


@pytest.mark.parametrize("within", [0.0, 1.0, 1e4])
def test_banks_are_apart_however_much_of_them_lay_within_the_other(within):
    bank = orthonormal(torch.randn(40, 8))
    columns = torch.randn(3, 40, 8) + within * bank @ torch.randn(3, 8, 8)
    own = apart_from(bank, columns)
    assert (bank.T @ own).abs().max() < 1e-6
    torch.testing.assert_close(own.mT @ own, torch.eye(8).expand(3, 8, 8), rtol=0, atol=1e-5)


def trained_banks(orthogonality):
    torch.manual_seed(1)
    banks = Banks(SIZE, 3, AXES, orthogonality)
    with torch.no_grad():
        for parameter in banks.parameters():
            parameter += torch.randn_like(parameter)
    return banks


@pytest.mark.parametrize("orthogonality", ["hard", "soft", "none"])
def test_each_bank_is_orthonormal(orthogonality):
    banks = trained_banks(orthogonality)()
    assert banks.shape == (4, SIZE, AXES)
    torch.testing.assert_close(banks.mT @ banks, torch.eye(AXES).expand(4, AXES, AXES), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("orthogonality", "is_apart"), [("hard", True), ("soft", False), ("none", False)])
def test_only_hard_banks_are_apart_by_construction(orthogonality, is_apart):
    assert (overlaps(trained_banks(orthogonality)()).abs().max() < 1e-6) == is_apart


def test_banks_of_classes_need_not_be_apart_from_one_another():
    banks = trained_banks("hard")()
    assert (banks[1].T @ banks[2]).abs().max() > 0.1
