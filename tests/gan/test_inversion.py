"""Searches for the latent of a picture: they find it, hold it where latents lie, and are functions of plain data."""

from dataclasses import replace

import pytest
import torch
from backbone_files import write_alexnet
from dcgan import make_dcgan
from styled import make_lively
from torch.nn import functional as F

from latentwalk.gan.errors import InvalidLatent
from latentwalk.gan.families import build_generator
from latentwalk.gan.images import to_uint8
from latentwalk.gan.inversion import Search, scale_of, take_step
from latentwalk.gan.latents import one_hot, z_from_seeds
from latentwalk.gan.perceptual import PerceptualError
from latentwalk.gan.spec import SPACES, GeneratorSpec

DIGITS = GeneratorSpec("dcgan", 6, 3, 16, 1, {"width": 4})
STYLED = GeneratorSpec(
    "stylegan", 6, 0, 16, 3, {"width": 4, "max_width": 8, "mapping_layers": 2}, spaces=SPACES, layers=6, w_size=5
)
CLASS = one_hot([1], 3)


@pytest.fixture(scope="module")
def digits():
    torch.manual_seed(0)
    generator = build_generator(DIGITS).train()
    with torch.no_grad():
        generator.get_parameter("main.6.weight").mul_(20)  # from grey to pictures
        for layer in generator.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.momentum = 1.0
        generator(torch.randn(64, 6), torch.softmax(torch.randn(64, 3), dim=1))
    return generator.freeze()


@pytest.fixture(scope="module")
def styled():
    return make_lively(STYLED)


def picture_of(generator, code, space="z", condition=None):
    with torch.no_grad():
        return to_uint8(generator.draw(code, space, condition), generator.spec.range)[0]


def search_from(seed, target, **options):
    """A search among the pictures of class 1 of digits."""
    plain = {"steps": 40, "prior": 0.0} | options
    return Search("z", target, z_from_seeds([seed], 6)[0], CLASS[0], **plain)


def looks(generator, search):
    """What a search sees at each step, and after the last."""
    scale, seen = scale_of(generator, search.space), []
    for _ in range(search.steps + 1):
        [look] = take_step(generator, [search], scale)
        seen.append(look)
        search = look.after
    return seen


def test_a_search_finds_the_picture_of_another_latent(digits):
    target = picture_of(digits, z_from_seeds([5], 6), condition=CLASS)
    seen = looks(digits, search_from(8, target, steps=100))
    assert seen[0].error > 0.01
    assert seen[-1].error < seen[0].error / 50
    assert (seen[-1].picture.int() - target.int()).abs().float().mean() < 3


def test_a_look_tells_picture_and_error_of_the_code_before_the_step(digits):
    target = picture_of(digits, z_from_seeds([5], 6), condition=CLASS)
    search = search_from(8, target)
    [look] = take_step(digits, [search], scale_of(digits, "z"))
    drawn = picture_of(digits, search.code[None], condition=CLASS)
    assert torch.equal(look.picture, drawn)
    assert look.error == pytest.approx(((drawn.float() - target.float()) / 255).square().mean().item(), abs=1e-4)
    assert (look.after.step, look.after.code.shape) == (1, search.code.shape)
    assert not torch.equal(look.after.code, search.code)


def test_after_the_last_step_nothing_moves(digits):
    target = picture_of(digits, z_from_seeds([5], 6), condition=CLASS)
    last = looks(digits, search_from(8, target, steps=4))[-1].after
    before = looks(digits, search_from(8, target, steps=4))[-2].after
    assert last.step == 5
    assert torch.equal(last.code, before.code)


@pytest.mark.parametrize("space", ["w", "w+"])
def test_a_search_in_w_finds_the_picture_of_a_z(styled, space):
    w_plus = styled.map(z_from_seeds([3], 6))
    start = styled.map(z_from_seeds([4], 6))[0]
    code = start if space == "w+" else start[0]
    search = Search(space, picture_of(styled, w_plus, "w+"), code, None, 100, 0.0)
    seen = looks(styled, search)
    assert seen[-1].error < seen[0].error / 20


def test_a_search_in_z_goes_through_the_mapping(styled):
    target = picture_of(styled, z_from_seeds([3], 6))
    seen = looks(styled, Search("z", target, z_from_seeds([4], 6)[0], None, 60, 0.0))
    assert min(look.error for look in seen) < seen[0].error / 3


def test_the_prior_holds_the_length_that_latents_have(digits):
    target = picture_of(digits, z_from_seeds([5], 6), condition=CLASS)
    far = replace(search_from(8, target, steps=100), code=2 * z_from_seeds([8], 6)[0])
    free = looks(digits, far)[-1].after.code
    held = looks(digits, replace(far, prior=100.0))[-1].after.code
    assert abs(held.square().mean() - 1) < abs(free.square().mean() - 1) / 2


def test_searches_do_not_move_one_another(digits):
    targets = [picture_of(digits, z_from_seeds([seed], 6), condition=CLASS) for seed in (5, 6)]
    pair = [search_from(8, targets[0]), search_from(9, targets[1], prior=1.0)]
    scale = scale_of(digits, "z")
    together = take_step(digits, pair, scale)
    for search, look in zip(pair, together, strict=True):
        [alone] = take_step(digits, [search], scale)
        assert (alone.picture.int() - look.picture.int()).abs().max() <= 1
        torch.testing.assert_close(alone.after.code, look.after.code, atol=1e-4, rtol=0)


def test_a_search_goes_on_from_plain_data_to_the_same_bits(digits):
    target = picture_of(digits, z_from_seeds([5], 6), condition=CLASS)
    whole = looks(digits, search_from(8, target, steps=10))
    kept = whole[4].after
    again = replace(kept, code=kept.code.clone(), momentum=kept.momentum.clone(), energy=kept.energy.clone())
    for look in whole[5:]:
        [seen] = take_step(digits, [again], scale_of(digits, "z"))
        assert torch.equal(seen.after.code, look.after.code)
        again = seen.after


def test_a_picture_without_finite_pixels_is_told(digits):
    target = picture_of(digits, z_from_seeds([5], 6), condition=CLASS)
    search = replace(search_from(8, target), code=torch.full((6,), torch.nan))
    [look] = take_step(digits, [search], scale_of(digits, "z"))
    assert not look.is_finite


def test_the_scale_of_w_is_that_of_many_latents(styled):
    scale = scale_of(styled, "w+")
    w = styled.encode(z_from_seeds(range(5_000, 9_000), 6), "w")
    assert torch.equal(scale.centre, styled.mean_w)
    assert scale.deviation == pytest.approx((w - styled.mean_w).square().mean().sqrt().item(), rel=0.1)


def test_the_scale_of_z_is_one_and_of_an_unknown_space_none(digits):
    assert (scale_of(digits, "z").centre, scale_of(digits, "z").deviation) == (0, 1)
    with pytest.raises(InvalidLatent, match="w"):
        scale_of(digits, "w")


def half(side=16):
    """A mask of which the left half counts."""
    mask = torch.zeros(side, side, dtype=torch.uint8)
    mask[:, : side // 2] = 255
    return mask


def test_what_a_mask_hides_has_no_say(digits):
    target = picture_of(digits, z_from_seeds([5], 6), condition=CLASS)
    other = target.clone()
    other[:, 8:] = 255 - other[:, 8:]
    scale = scale_of(digits, "z")
    masked, changed = (search_from(8, one, mask=half(), prior=0.5) for one in (target, other))
    assert torch.equal(
        take_step(digits, [masked], scale)[0].after.code, take_step(digits, [changed], scale)[0].after.code
    )
    seen = looks(digits, replace(changed, prior=0.0, steps=100))
    assert seen[-1].error < seen[0].error / 50
    left = (seen[-1].picture.float() - target.float())[:, :8] / 255
    assert seen[-1].error == pytest.approx(left.square().mean().item(), abs=1e-4)


def test_a_mask_in_which_all_counts_alike_is_none(digits):
    target = picture_of(digits, z_from_seeds([5], 6), condition=CLASS)
    whole = torch.full((16, 16), 128, dtype=torch.uint8)
    searches = [search_from(8, target), search_from(8, target, mask=whole)]
    plain, grey = take_step(digits, searches, scale_of(digits, "z"))
    assert grey.error == pytest.approx(plain.error, rel=1e-5)
    torch.testing.assert_close(grey.after.code, plain.after.code, atol=1e-4, rtol=0)


def test_lpips_has_a_say_by_its_weight_and_decides_which_picture_is_the_better_one(tmp_path):
    """Larger pictures than LPIPS is shown, in colours that a mask hides by half."""
    perceived = PerceptualError(write_alexnet(tmp_path / "alexnet.pth"))
    large = make_dcgan(GeneratorSpec("dcgan", 6, 0, 512, 3, {"width": 1}), contrast=0.3, batches=3, rows=4)
    target = picture_of(large, z_from_seeds([5], 6))
    mask = half(512)
    plain = Search("z", target, z_from_seeds([8], 6)[0], None, 9, 0.0, mask=mask)
    pair = [replace(plain, lpips=weight) for weight in (0.5, 2.0)]
    scale = scale_of(large, "z")
    looks, [without] = take_step(large, pair, scale, perceived), take_step(large, [plain], scale)
    with torch.no_grad():
        shown = [one.permute(2, 0, 1)[None].float() / 127.5 - 1 for one in (without.picture, target)]
        smaller = [F.avg_pool2d(one, 2) for one in (*shown, mask[None, None].float() / 255)]
        expected = perceived(*smaller).item()
    assert (without.lpips, without.distance) == (0.0, without.error)
    for look, weight in zip(looks, (0.5, 2.0), strict=True):
        assert look.lpips == pytest.approx(expected, rel=0.02)
        assert look.distance == pytest.approx(without.error + weight * look.lpips, rel=1e-4)
    codes = [look.after.momentum for look in (without, *looks)]
    assert not torch.allclose(codes[0], codes[1])
    torch.testing.assert_close(codes[2] - codes[0], 4 * (codes[1] - codes[0]), rtol=0.02, atol=1e-4)
