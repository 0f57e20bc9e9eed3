import math

import numpy as np
import pytest
import torch
from torch import Tensor

from latentwalk.gan.edits import EDITS, edit_of, masked_squared_error
from latentwalk.gan.edits.colours import lab_of_rgb, rgb_of_lab
from latentwalk.gan.errors import GanError, OutOfRange, UnknownEdit

SIZE = 16


def pictures(n: int = 3, channels: int = 3, size: int = SIZE) -> Tensor:
    return torch.rand(n, channels, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def edited(name: str, picture: Tensor, amount: float) -> tuple[Tensor, Tensor]:
    target, mask = EDITS[name](picture, torch.full((len(picture),), amount))
    return target, mask


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_the_neutral_amount_changes_nothing_and_all_pixels_are_valid(edit) -> None:
    x = pictures()
    target, mask = edited(edit.name, x, edit.neutral)
    torch.testing.assert_close(target, x, rtol=0, atol=1e-5)
    assert torch.equal(mask, torch.ones(3, 1, SIZE, SIZE))


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_each_picture_has_its_own_amount(edit) -> None:
    x, amounts = pictures(), torch.tensor([0.5, 1.0, 0.75])
    target, mask = edit(x, amounts)
    assert target.shape == x.shape
    assert mask.shape == (3, 1, SIZE, SIZE)
    for row in range(3):
        alone, alone_mask = edit(x[row, None], amounts[row, None])
        torch.testing.assert_close(target[row, None], alone)
        assert torch.equal(mask[row, None], alone_mask)


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_the_picture_itself_is_left_alone(edit) -> None:
    x = pictures()
    before = x.clone()
    edited(edit.name, x, 0.5)
    assert torch.equal(x, before)


def test_a_quarter_more_brightness_is_half_a_unit_on_every_channel_without_clipping() -> None:
    x = pictures()
    target, mask = edited("brightness", x, 0.25)
    torch.testing.assert_close(target, x + 0.5)
    assert target.max() > 1
    assert mask.all()


@pytest.mark.parametrize(("name", "channel"), [("red", 0), ("green", 1), ("blue", 2)])
def test_a_colour_changes_its_own_channel_only(name: str, channel: int) -> None:
    x = pictures()
    target, _ = edited(name, x, -0.1)
    expected = x.clone()
    expected[:, channel] -= 0.2
    torch.testing.assert_close(target, expected)


def test_grey_pictures_have_brightness_but_no_colour() -> None:
    grey = pictures(channels=1)
    torch.testing.assert_close(edited("brightness", grey, 0.1)[0], grey + 0.2)
    with pytest.raises(GanError, match="1 channels: red, green and blue need 3"):
        edited("red", grey, 0.1)
    with pytest.raises(GanError, match="1 channels: red, green and blue need 3"):
        edited("lab_a", grey, 0.1)


@pytest.mark.parametrize(("name", "channel", "full_range"), [("lab_l", 0, 100), ("lab_a", 1, 256), ("lab_b", 2, 256)])
@pytest.mark.parametrize("amount", [-0.03, 0.03])
def test_the_lab_edits_are_those_of_opencv(name: str, channel: int, full_range: int, amount: float) -> None:
    cv2 = pytest.importorskip("cv2")
    x = pictures() * 0.4  # so that no colour leaves what sRGB has; of what does, OpenCV makes another one
    target, mask = edited(name, x, amount)
    for row in range(len(x)):
        lab = cv2.cvtColor(((x[row].permute(1, 2, 0) + 1) / 2).numpy(), cv2.COLOR_RGB2Lab)
        lab[..., channel] += amount * full_range
        peer = torch.from_numpy(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB)) * 2 - 1
        torch.testing.assert_close(
            target[row].permute(1, 2, 0), peer, rtol=0, atol=6e-3
        )  # OpenCV looks it up in tables
    assert mask.all()


def test_lab_of_the_primaries_is_as_published() -> None:
    primaries = torch.eye(3)[:, :, None, None]
    published = torch.tensor([[53.24, 80.09, 67.20], [87.73, -86.18, 83.18], [32.30, 79.19, -107.86]])
    lab = lab_of_rgb(primaries.double())
    torch.testing.assert_close(lab[:, :, 0, 0].float(), published, rtol=0, atol=0.02)
    torch.testing.assert_close(rgb_of_lab(lab).float(), primaries, rtol=0, atol=1e-6)


def test_lightness_leaves_grey_grey_and_nothing_is_clipped() -> None:
    grey = torch.linspace(-1, 1, 16).expand(1, 3, 16, 16)
    target, _ = edited("lab_l", grey, 0.5)
    assert (target[:, 0] - target[:, 1]).abs().max() < 1e-4
    assert target.max() > 1.5
    assert (target > grey).all()
    back, _ = edited("lab_l", target, -0.5)
    torch.testing.assert_close(back, grey, rtol=0, atol=1e-5)


@pytest.mark.parametrize("size", [16, 24])
@pytest.mark.parametrize("pixels", [1, 5, 15])
@pytest.mark.parametrize(("name", "dimension"), [("shift_x", 3), ("shift_y", 2)])
def test_a_shift_by_whole_pixels_is_a_copy_of_a_slice(name: str, dimension: int, pixels: int, size: int) -> None:
    x = pictures(size=size)
    forward, forward_mask = edited(name, x, pixels)
    expected, expected_mask = torch.zeros_like(x), torch.zeros_like(x[:, :1])
    kept = size - pixels
    expected.narrow(dimension, pixels, kept).copy_(x.narrow(dimension, 0, kept))
    expected_mask.narrow(dimension, pixels, kept).fill_(1)
    torch.testing.assert_close(forward, expected, rtol=0, atol=1e-5)
    assert torch.equal(forward_mask, expected_mask)

    back, back_mask = edited(name, x, -pixels)
    expected.zero_().narrow(dimension, 0, kept).copy_(x.narrow(dimension, pixels, kept))
    torch.testing.assert_close(back, expected, rtol=0, atol=1e-5)
    assert torch.equal(back_mask, expected_mask.flip(dimension))


def test_a_positive_shift_moves_to_the_right_and_down() -> None:
    dot = torch.zeros(1, 1, SIZE, SIZE)
    dot[0, 0, 4, 4] = 1
    assert edited("shift_x", dot, 3)[0][0, 0, 4, 7].item() == pytest.approx(1, abs=1e-5)
    assert edited("shift_y", dot, 3)[0][0, 0, 7, 4].item() == pytest.approx(1, abs=1e-5)


def test_a_shift_by_half_a_pixel_blends_two_neighbours_and_counts_the_half_covered_border() -> None:
    x = pictures()
    target, mask = edited("shift_x", x, 0.5)
    torch.testing.assert_close(target[..., 1:], (x[..., 1:] + x[..., :-1]) / 2, rtol=0, atol=1e-5)
    torch.testing.assert_close(target[..., 0], x[..., 0] / 2, rtol=0, atol=1e-5)
    assert mask.all()


@pytest.mark.parametrize("degrees", [-60.0, -20.0, 10.0, 45.0, 80.0])
def test_turning_in_three_dimensions_is_the_billboard_of_the_paper(degrees: float) -> None:
    cv2 = pytest.importorskip("cv2", minversion="5")
    size, angle, centre = 32, math.radians(degrees), 15.5
    axis = torch.linspace(-3, 3, size)
    smooth = torch.stack(
        [torch.sin(axis)[:, None] * torch.cos(axis), axis[:, None] * axis / 9, axis.expand(size, -1) / 3]
    )
    cosine, sine, away = math.cos(angle), math.sin(angle), math.sqrt(2) * size
    # As in the code of the paper: hang up, turn about the vertical, push away, project.
    hang = np.array([[1, 0, -centre], [0, 1, -centre], [0, 0, 0], [0, 0, 1]])
    turn = np.array([[cosine, 0, -sine, 0], [0, 1, 0, 0], [sine, 0, cosine, 0], [0, 0, 0, 1]])
    push = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, away], [0, 0, 0, 1]])
    see = np.array([[away, 0, centre, 0], [0, away, centre, 0], [0, 0, 1, 0]])
    peer_matrix = see @ push @ turn @ hang
    target, mask = edited("rotate3d", smooth[None], degrees)
    peer = cv2.warpPerspective(smooth.permute(1, 2, 0).contiguous().numpy(), peer_matrix, (size, size))
    covered = cv2.warpPerspective(np.ones((size, size), np.float32), peer_matrix, (size, size))
    torch.testing.assert_close(target[0].permute(1, 2, 0), torch.from_numpy(peer), rtol=0, atol=1e-3)
    assert torch.equal(mask[0, 0], torch.from_numpy(covered > 1e-3).float())


@pytest.mark.parametrize("quarters", [1, 2, -1])
def test_quarter_turns_are_exact_and_positive_is_counter_clockwise(quarters: int) -> None:
    x = pictures()
    target, mask = edited("rotate", x, 90.0 * quarters)
    torch.testing.assert_close(target, torch.rot90(x, quarters, dims=(2, 3)), rtol=0, atol=1e-4)
    assert mask.all()


def test_turning_one_eighth_leaves_the_corners_empty_and_the_middle_valid() -> None:
    target, mask = edited("rotate", torch.ones(1, 1, SIZE, SIZE), 45.0)
    for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        assert mask[0, 0, row, column] == 0
        assert target[0, 0, row, column] == 0
    assert mask[0, 0, 4:12, 4:12].all()
    assert mask[0, 0, 0, SIZE // 2] == 1


def test_zooming_in_on_one_colour_shows_that_colour() -> None:
    flat = torch.full((1, 3, SIZE, SIZE), 0.3)
    target, mask = edited("zoom", flat, 2.0)
    torch.testing.assert_close(target, flat)
    assert mask.all()


def test_zooming_in_twice_makes_things_twice_as_large_about_the_centre() -> None:
    square = torch.zeros(1, 1, SIZE, SIZE)
    square[0, 0, 6:10, 6:10] = 1
    target, _ = edited("zoom", square, 2.0)
    larger = torch.zeros(SIZE, SIZE)
    larger[4:12, 4:12] = 1
    assert ((target[0, 0] > 0.5).float() == larger).all()


@pytest.mark.parametrize("factor", [2, 4])
def test_zooming_out_shows_the_whole_picture_in_the_middle_of_nothing(factor: int) -> None:
    x = pictures()
    target, mask = edited("zoom", x, 1 / factor)
    side = SIZE // factor
    first = (SIZE - side) // 2
    middle = slice(first, first + side)
    inside = torch.zeros_like(x[:, :1])
    inside[..., middle, middle] = 1
    assert torch.equal(mask, inside)
    assert not (target * (1 - mask)).any()
    # Bilinear, as the paper: a pixel is the mean of the four around the point that it comes from.
    centre = (torch.arange(side) * factor + factor // 2 - 1).tolist()
    around = [x[..., centre, :], x[..., [c + 1 for c in centre], :]]
    mean = sum(rows[..., centre] + rows[..., [c + 1 for c in centre]] for rows in around) / 4
    torch.testing.assert_close(target[..., middle, middle], mean, rtol=0, atol=1e-5)


def test_zooming_out_and_in_again_returns_something_smooth() -> None:
    axis = torch.linspace(-1, 1, 32)
    smooth = (axis[:, None] * axis[None, :])[None, None]
    out, _ = edited("zoom", smooth, 0.5)
    back, _ = edited("zoom", out, 2.0)
    torch.testing.assert_close(back[..., 2:-2, 2:-2], smooth[..., 2:-2, 2:-2], rtol=0, atol=0.05)


@pytest.mark.parametrize(
    ("name", "amount", "matrix"),
    [
        ("shift_x", 5.0, lambda cv2, c: [[1, 0, 5], [0, 1, 0]]),
        ("shift_x", -3.5, lambda cv2, c: [[1, 0, -3.5], [0, 1, 0]]),
        ("shift_y", 4.0, lambda cv2, c: [[1, 0, 0], [0, 1, 4]]),
        ("rotate", 30.0, lambda cv2, c: cv2.getRotationMatrix2D((c, c), 30.0, 1.0)),
        ("rotate", -72.0, lambda cv2, c: cv2.getRotationMatrix2D((c, c), -72.0, 1.0)),
        ("zoom", 1.7, lambda cv2, c: cv2.getRotationMatrix2D((c, c), 0.0, 1.7)),
        ("zoom", 0.6, lambda cv2, c: cv2.getRotationMatrix2D((c, c), 0.0, 0.6)),
    ],
)
def test_the_affine_edits_are_those_of_opencv(name: str, amount: float, matrix) -> None:
    cv2 = pytest.importorskip("cv2", minversion="5")  # before 5 it rounds positions to 1/32 of a pixel
    size = 32
    axis = torch.linspace(-3, 3, size)
    smooth = torch.stack(
        [torch.sin(axis)[:, None] * torch.cos(axis), axis[:, None] * axis / 9, axis.expand(size, -1) / 3]
    )
    target, mask = edited(name, smooth[None], amount)
    affine = np.array(matrix(cv2, (size - 1) / 2), dtype=np.float64)
    peer = cv2.warpAffine(smooth.permute(1, 2, 0).contiguous().numpy(), affine, (size, size), flags=cv2.INTER_LINEAR)
    covered = cv2.warpAffine(np.ones((size, size), np.float32), affine, (size, size), flags=cv2.INTER_LINEAR)
    torch.testing.assert_close(target[0].permute(1, 2, 0), torch.from_numpy(peer), rtol=0, atol=1e-3)
    assert torch.equal(mask[0, 0], torch.from_numpy(covered > 0).float())


def test_the_masked_error_is_the_mean_over_the_valid_elements_of_each_row() -> None:
    x, target = torch.zeros(2, 3, 4, 4), torch.full((2, 3, 4, 4), 2.0)
    mask = torch.zeros(2, 1, 4, 4)
    mask[0, :, :2] = 1
    target[0, :, 2:] = 100
    mask[1] = 1
    target[1, 0] = 0
    torch.testing.assert_close(masked_squared_error(x, target, mask), torch.tensor([4.0, 8 / 3]))


def test_a_row_without_a_valid_pixel_has_no_error() -> None:
    x = pictures(1)
    assert masked_squared_error(x, x + 1, torch.zeros(1, 1, SIZE, SIZE)).item() == 0


def test_the_masked_error_has_the_gradient_of_its_formula() -> None:
    x = pictures().double().requires_grad_()
    target, mask = EDITS["shift_x"](pictures(), torch.tensor([3.0, -2.0, 7.0]))
    assert torch.autograd.gradcheck(
        lambda p: masked_squared_error(p, target[:1, :, :4, :8].double(), mask[:1, :, :4, :8].double()),
        x.detach()[:1, :, :4, :8].requires_grad_(),
    )
    masked_squared_error(x, target.double(), mask.double()).sum().backward()
    assert not x.grad[mask.expand_as(x) == 0].any()
    assert x.grad[mask.expand_as(x) == 1].abs().min() >= 0
    assert x.grad.abs().sum() > 0


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_drawn_amounts_lie_within_the_range_and_follow_the_seed(edit) -> None:
    low, high = edit.default_range(64)
    drawn = edit.draw(500, low, high, torch.Generator().manual_seed(3))
    assert drawn.shape == (500,)
    assert drawn.min() >= low - 1e-6
    assert drawn.max() <= high + 1e-6
    assert torch.equal(drawn, edit.draw(500, low, high, torch.Generator().manual_seed(3)))
    assert not torch.equal(drawn, edit.draw(500, low, high, torch.Generator().manual_seed(4)))


def test_the_default_ranges_are_those_of_the_paper() -> None:
    assert {name: edit.default_range(64) for name, edit in EDITS.items()} == {
        "brightness": (-0.25, 0.25),
        "red": (-0.25, 0.25),
        "green": (-0.25, 0.25),
        "blue": (-0.25, 0.25),
        "lab_l": (-0.25, 0.25),
        "lab_a": (-0.25, 0.25),
        "lab_b": (-0.25, 0.25),
        "zoom": (0.25, 4),
        "shift_x": (-32, 32),
        "shift_y": (-32, 32),
        "rotate": (-45, 45),
        "rotate3d": (-45, 45),
    }


@pytest.mark.parametrize(("name", "limit"), [("shift_x", 8), ("shift_y", 8), ("rotate", 45)])
def test_shifts_and_turns_are_whole_never_nothing_and_below_the_limit(name: str, limit: int) -> None:
    edit = EDITS[name]
    drawn = edit.draw(3000, *edit.default_range(16), torch.Generator().manual_seed(0))
    assert sorted(set(drawn.tolist())) == [k for k in range(-limit + 1, limit) if k != 0]


def test_zoom_goes_in_or_out_by_the_toss_of_a_coin_uniformly_in_what_is_seen() -> None:
    drawn = EDITS["zoom"].draw(20_000, 0.25, 4, torch.Generator().manual_seed(0))
    going_in, going_out = 1 / drawn[drawn > 1], 1 / drawn[drawn <= 1]
    assert len(going_in) / 20_000 == pytest.approx(0.5, abs=0.02)
    assert going_in.mean().item() == pytest.approx((0.25 + 1) / 2, abs=0.01)
    assert going_out.mean().item() == pytest.approx((1 + 4) / 2, abs=0.05)


@pytest.mark.parametrize(("low", "high"), [(1, 4), (2, 3), (0.25, 1), (0.3, 0.5)])
def test_zoom_can_be_drawn_on_one_side_only(low: float, high: float) -> None:
    drawn = EDITS["zoom"].draw(500, low, high, torch.Generator().manual_seed(0))
    assert drawn.min() >= low - 1e-6
    assert drawn.max() <= high + 1e-6
    assert (1 / drawn).mean().item() == pytest.approx((1 / low + 1 / high) / 2, rel=0.1)


@pytest.mark.parametrize(("low", "high"), [(0, 4), (0.5, 100), (math.nan, 2), (1, math.inf)])
def test_a_range_outside_the_domain_is_refused(low: float, high: float) -> None:
    with pytest.raises(OutOfRange, match="amount of zoom"):
        EDITS["zoom"].draw(1, low, high, torch.Generator())


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(GanError, match="range of rotate"):
        EDITS["rotate"].draw(1, 10, -10, torch.Generator())
    with pytest.raises(GanError, match="no whole amount"):
        EDITS["shift_x"].draw(1, -1, 1, torch.Generator())


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_linear_and_natural_agree_on_numbers_and_tensors(edit) -> None:
    for amount in (0.1, 0.9):
        coordinate = edit.linear(amount)
        assert edit.linear(torch.tensor(amount)).item() == pytest.approx(coordinate, abs=1e-6)
        assert edit.natural(coordinate) == pytest.approx(amount)
        assert edit.natural(torch.tensor(coordinate)).item() == pytest.approx(amount)


def test_an_unknown_edit_is_refused_with_the_ones_that_exist() -> None:
    assert edit_of("zoom") is EDITS["zoom"]
    with pytest.raises(UnknownEdit, match=r"'blur'.*rotate"):
        edit_of("blur")
