"""Edits that a caller defines by the matrix of their generator."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import Tensor

from latentwalk.gan.artifacts import ArtifactStore, load_direction, save_direction
from latentwalk.gan.directions import LinearDirection, Slider
from latentwalk.gan.edits import EDITS, CustomEdit
from latentwalk.gan.errors import CorruptArtifact, GanError, OutOfRange, UnknownEdit

SIZE = 32
TILT = CustomEdit.from_entries("tilt", "x", "homography", (0, 0, 0, 0, 0, 0, 0.3, -0.1, 0))
SHEAR = CustomEdit.from_entries("shear", "", "affine", (0.1, 0.5, 0.2, 0, -0.2, 0.1))
WARMTH = CustomEdit.from_entries("warmth", "", "colour", (0.1, 0.2, 0, 0.3, 0, 0, 0, 0, 0, 0.1, 0, -0.3))
CUSTOM = (TILT, SHEAR, WARMTH)
every_edit = pytest.mark.parametrize("custom", CUSTOM, ids=lambda custom: custom.name)


def smooth() -> Tensor:
    axis = torch.linspace(-3, 3, SIZE)
    waves = torch.stack(
        [torch.sin(axis)[:, None] * torch.cos(axis), axis[:, None] * axis / 9, axis.expand(SIZE, -1) / 3]
    )
    return torch.stack([waves, waves.flip(0), waves.flip(2)])


def edited(custom: CustomEdit, amount: float) -> tuple[Tensor, Tensor]:
    return custom.edit(smooth(), torch.full((3,), amount))


def exponential(matrix: np.ndarray) -> np.ndarray:
    """The matrix exponential by its power series."""
    terms = [np.eye(len(matrix))]
    for order in range(1, 40):
        terms.append(terms[-1] @ matrix / order)
    return sum(terms)


def squared(custom: CustomEdit) -> np.ndarray:
    columns = len(custom.matrix[0])
    return np.vstack([custom.matrix, np.zeros((columns - len(custom.matrix), columns))])


@every_edit
def test_no_amount_changes_nothing(custom: CustomEdit) -> None:
    target, mask = edited(custom, 0.0)
    torch.testing.assert_close(target, smooth(), rtol=0, atol=1e-5)
    assert mask.all()


@every_edit
def test_each_picture_has_its_own_amount(custom: CustomEdit) -> None:
    target, mask = custom.edit(smooth(), torch.tensor([-0.4, 0.0, 0.7]))
    for row, amount in enumerate((-0.4, 0.0, 0.7)):
        alone, alone_mask = edited(custom, amount)
        torch.testing.assert_close(target[row], alone[row])
        assert torch.equal(mask[row], alone_mask[row])


@every_edit
def test_amounts_add_up(custom: CustomEdit) -> None:
    once, _ = edited(custom, 0.2)
    twice, valid = custom.edit(once, torch.full((3,), 0.2))
    whole, _ = edited(custom, 0.4)
    inner = valid.bool().expand_as(whole)[..., 8:-8, 8:-8]
    torch.testing.assert_close(twice[..., 8:-8, 8:-8][inner], whole[..., 8:-8, 8:-8][inner], rtol=0, atol=0.03)


@pytest.mark.parametrize(
    ("entries", "name", "custom_amount", "amount"),
    [
        ((0, 0, 1, 0, 0, 0), "shift_x", 6 / (SIZE / 2), 6.0),
        ((0, 0, 0, 0, 0, 1), "shift_y", -5 / (SIZE / 2), -5.0),
        ((1, 0, 0, 0, 1, 0), "zoom", math.log(1.7), 1.7),
        ((0, 1, 0, -1, 0, 0), "rotate", math.radians(30), 30.0),
    ],
)
def test_the_edits_of_the_table_are_special_cases(entries, name: str, custom_amount: float, amount: float) -> None:
    custom = CustomEdit.from_entries("own", "", "affine", entries)
    target, mask = edited(custom, custom_amount)
    expected, expected_mask = EDITS[name](smooth(), torch.full((3,), amount))
    torch.testing.assert_close(target, expected, rtol=0, atol=1e-4)
    assert torch.equal(mask, expected_mask)


@pytest.mark.parametrize("custom", [TILT, SHEAR], ids=["tilt", "shear"])
@pytest.mark.parametrize("amount", [-1.3, 0.8])
def test_a_move_of_pixels_is_the_perspective_warp_of_opencv(custom: CustomEdit, amount: float) -> None:
    cv2 = pytest.importorskip("cv2", minversion="5")
    centre, half = (SIZE - 1) / 2, SIZE / 2
    to_pixels = np.array([[half, 0, centre], [0, half, centre], [0, 0, 1]])
    matrix = to_pixels @ exponential(amount * squared(custom)) @ np.linalg.inv(to_pixels)
    target, mask = edited(custom, amount)
    for row, picture in enumerate(smooth()):
        peer = cv2.warpPerspective(picture.permute(1, 2, 0).contiguous().numpy(), matrix, (SIZE, SIZE))
        torch.testing.assert_close(target[row].permute(1, 2, 0), torch.from_numpy(peer), rtol=0, atol=1e-3)
    covered = cv2.warpPerspective(np.ones((SIZE, SIZE), np.float32), matrix, (SIZE, SIZE))
    assert torch.equal(mask[0, 0], torch.from_numpy(covered > 1e-3).float())
    assert 0 < mask.mean() < 1


def test_what_tilts_behind_the_eye_is_not_valid() -> None:
    steep = CustomEdit.from_entries("steep", "", "homography", (0, 0, 0, 0, 0, 0, 2.0, 0, 0))
    target, mask = edited(steep, 1.0)
    assert target.isfinite().all()
    # A pixel of the target right of x = 1/2 would come from behind: its depth is 1 - 2 x.
    assert not mask[..., SIZE * 3 // 4 :].any()
    assert mask[..., SIZE // 4 : SIZE // 2].all()


@pytest.mark.parametrize("amount", [-0.7, 1.2])
def test_a_move_of_colours_is_the_transform_of_opencv(amount: float) -> None:
    cv2 = pytest.importorskip("cv2")
    matrix = exponential(amount * squared(WARMTH))[:3]
    target, mask = edited(WARMTH, amount)
    for row, picture in enumerate(smooth()):
        peer = cv2.transform(picture.permute(1, 2, 0).contiguous().numpy(), matrix)
        torch.testing.assert_close(target[row].permute(1, 2, 0), torch.from_numpy(peer), rtol=0, atol=1e-5)
    assert mask.all()
    with pytest.raises(GanError, match="need 3"):
        WARMTH.edit(smooth()[:, :1], torch.zeros(3))


@every_edit
def test_its_amounts_are_drawn_uniformly_within_a_domain_that_ends_where_nothing_is_left(custom: CustomEdit) -> None:
    low, high = custom.edit.domain
    assert (low, math.isfinite(high)) == (-high, True)
    target, _ = edited(custom, high)
    assert target.isfinite().all()
    drawn = custom.edit.draw(1000, -0.5, 1.5, torch.Generator().manual_seed(0))
    assert drawn.mean().item() == pytest.approx(0.5, abs=0.06)
    with pytest.raises(OutOfRange, match=f"amount of {custom.name}"):
        custom.edit.draw(1, 0.0, 2 * high, torch.Generator())


@pytest.mark.parametrize(
    ("name", "kind", "entries", "reason"),
    [
        ("zoom", "affine", [0] * 5 + [1], "name of a custom edit is 'zoom'"),
        ("", "affine", [0] * 5 + [1], "name of a custom edit"),
        ("own", "cubic", [1], "kind of edit 'own' is 'cubic': use one of affine"),
        ("own", "affine", [1] * 9, "has 9 entries: affine needs 2 x 3 = 6"),
        ("own", "colour", [1] * 6, "needs 3 x 4 = 12"),
        ("own", "affine", [0] * 6, "not all zeros"),
        ("own", "affine", [0] * 5 + [math.nan], "finite"),
    ],
)
def test_a_matrix_that_cannot_be_is_refused(name: str, kind: str, entries, reason: str) -> None:
    with pytest.raises(GanError, match=reason):
        CustomEdit.from_entries(name, "", kind, entries)


# -- sliders that imitate them -----------------------------------------------------------------------------------------


def slider_of(custom: CustomEdit) -> Slider:
    return Slider("mine", custom.name, custom.unit, 0.5, (-1.0, 1.0), (-3.0, 3.0), custom=custom)


@every_edit
def test_a_slider_keeps_its_custom_edit_in_the_store(store: ArtifactStore, custom: CustomEdit) -> None:
    slider = slider_of(custom)
    direction = LinearDirection("d", "sha256:0", (slider,), torch.ones(1, 6))
    save_direction(store, "faces", direction, provenance={}, created="2026-01-01T00:00:00+00:00")
    (loaded,) = load_direction(store, "faces", "d")[0].sliders
    assert loaded == slider
    assert (loaded.amount_of(0.8), loaded.alpha_of(0.4)) == pytest.approx((0.4, 0.8))
    with pytest.raises(OutOfRange):
        loaded.alpha_of(1e6)


def test_a_slider_imitates_one_edit() -> None:
    slider = slider_of(TILT)
    with pytest.raises(GanError, match="imitates two edits"):
        dataclasses.replace(slider, edit="zoom")
    with pytest.raises(UnknownEdit):
        dataclasses.replace(slider, custom=None)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "cubic"},
        {"matrix": [[1, 2], [3, 4]]},
        {"matrix": 3},
        {"matrix": [["x"] * 3] * 3},
        {"name": "z"},
    ],
)
def test_a_damaged_custom_edit_is_refused_at_load(store: ArtifactStore, change: dict) -> None:
    said = {"provenance": {}, "created": "2026-01-01T00:00:00+00:00"}
    save_direction(store, "faces", LinearDirection("d", "sha256:0", (slider_of(TILT),), torch.ones(1, 6)), **said)
    whole = store.get("directions", "faces/d")
    whole.manifest["body"]["sliders"][0]["custom"].update(change)
    store.put("directions", "faces/d", tensors=whole.tensors, body=whole.manifest["body"], **said)
    with pytest.raises(CorruptArtifact, match="describes no direction"):
        load_direction(store, "faces", "d")
