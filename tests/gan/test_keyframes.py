import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latentwalk.gan.easing import EASINGS
from latentwalk.gan.errors import GanError, OutOfRange
from latentwalk.gan.interpolation import INTERPOLATIONS, slerp
from latentwalk.gan.keyframes import Interpolation
from latentwalk.gan.latents import z_from_seeds

START = z_from_seeds([1, 2, 3], 5)

interpolations = st.builds(
    Interpolation,
    st.integers(2, 5).map(lambda keyframes: z_from_seeds(range(keyframes), 5)),
    st.none(),
    st.integers(1, 5),
    st.sampled_from([*INTERPOLATIONS]),
    st.sampled_from([*EASINGS]),
    st.booleans(),
)


@given(interpolations)
@settings(deadline=None, max_examples=60)
def test_an_interpolation_shows_each_keyframe_exactly_once(interpolation: Interpolation) -> None:
    keyframes, step = interpolation.keyframes, interpolation.frames_per_leg
    legs = len(keyframes) if interpolation.loop else len(keyframes) - 1
    assert interpolation.frames == legs * step + (not interpolation.loop)
    for index, keyframe in enumerate(keyframes):
        assert torch.equal(interpolation.code_at(index * step), keyframe)
    shown = [interpolation.code_at(index) for index in range(interpolation.frames)]
    for keyframe in keyframes:
        assert sum(torch.equal(latent, keyframe) for latent in shown) == 1


@given(interpolations)
@settings(deadline=None, max_examples=30)
def test_between_keyframes_it_blends_by_its_method_and_easing(interpolation: Interpolation) -> None:
    step = interpolation.frames_per_leg
    keyframes = torch.cat([interpolation.keyframes, interpolation.keyframes[:1]])
    for index in range(interpolation.frames):
        leg, frame = divmod(index, step)
        t = EASINGS[interpolation.easing](frame / step)
        if t > 0:
            expected = INTERPOLATIONS[interpolation.method](keyframes[leg], keyframes[leg + 1], t)
            assert torch.equal(interpolation.code_at(index), expected)


def test_a_loop_travels_on_from_the_last_keyframe_to_the_first() -> None:
    loop = Interpolation(START, None, 4, "slerp", "linear", loop=True)
    assert loop.frames == 12
    assert torch.equal(loop.code_at(11), slerp(START[2], START[0], 0.75))


def test_conditions_are_blended_linearly_and_still_sum_to_1() -> None:
    conditions = torch.eye(3)
    interpolation = Interpolation(START, conditions, 4, "slerp", "linear", loop=True)
    assert interpolation.condition_at(5).tolist() == [0, 0.75, 0.25]
    for index in range(interpolation.frames):
        assert interpolation.condition_at(index).sum().item() == pytest.approx(1)
    assert Interpolation(START, None, 4, "slerp", "linear", loop=True).condition_at(5) is None


@pytest.mark.parametrize("index", [-1, 3])
def test_a_frame_beyond_the_interpolation_is_out_of_range(index: int) -> None:
    with pytest.raises(OutOfRange, match="frame"):
        Interpolation(START[:2], None, 2, "lerp", "linear", loop=False).code_at(index)


def test_interpolations_that_cannot_be_are_refused() -> None:
    with pytest.raises(GanError, match="1 keyframes"):
        Interpolation(START[:1], None, 4, "slerp", "linear", loop=False)
    with pytest.raises(GanError, match="3 keyframes have 2 conditions"):
        Interpolation(START, torch.eye(2), 4, "slerp", "linear", loop=False)
    with pytest.raises(GanError, match=r"'cubic'.*lerp"):
        Interpolation(START, None, 4, "cubic", "linear", loop=False)
    with pytest.raises(GanError, match="'bounce'"):
        Interpolation(START, None, 4, "lerp", "bounce", loop=False)
    with pytest.raises(GanError, match="0 frames"):
        Interpolation(START, None, 0, "lerp", "linear", loop=False)
