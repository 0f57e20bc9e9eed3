"""What a slider was measured to achieve is what its amounts mean, as far as it was measured."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentwalk.gan.artifacts import ArtifactStore, load_direction, save_direction
from latentwalk.gan.directions import Calibration, Direction, Pick, Slider, joined
from latentwalk.gan.errors import CorruptArtifact, GanError, OutOfRange

# It was to turn by 20 degrees an alpha, and does less the further it goes.
TURNS = Calibration((-2.0, -1.0, 0.0, 1.0, 3.0), (-25.0, -15.0, 0.0, 16.0, 30.0))
ROTATE = Slider("rotate", "rotate", "deg", 20.0, (-1.0, 1.0), (-3.0, 3.0), calibration=TURNS)
ZOOM = Slider("zoom", "zoom", "x", 1.0, (-1.0, 1.0), (-3.0, 3.0), calibration=Calibration((0.0, 2.0), (1.0, 4.0)))


def test_amounts_are_what_was_measured_and_between_two_points_lie_on_a_line() -> None:
    assert ROTATE.alpha_of(16) == 1
    assert ROTATE.alpha_of(23) == pytest.approx(2)
    assert ROTATE.amount_of(-1.5) == pytest.approx(-20)
    assert dataclasses.replace(ROTATE, calibration=None).alpha_of(20) == 1


def test_between_two_factors_it_is_a_line_of_their_logarithms() -> None:
    assert ZOOM.amount_of(1.0) == pytest.approx(2)
    assert ZOOM.alpha_of(2.0) == pytest.approx(1)


@given(st.floats(-2, 3))
def test_an_amount_leads_back_to_its_alpha(alpha: float) -> None:
    assert ROTATE.alpha_of(ROTATE.amount_of(alpha)) == pytest.approx(alpha, abs=1e-9)


def test_beyond_what_was_measured_nothing_is_known() -> None:
    with pytest.raises(OutOfRange, match=r"amount of slider 'rotate' \(deg\) is 31: it must lie from -25.0 to 30.0"):
        ROTATE.alpha_of(31)
    with pytest.raises(OutOfRange, match=r"calibrated alpha of slider 'rotate' is -2.5: it must lie from -2.0 to 3.0"):
        ROTATE.amount_of(-2.5)
    assert (ROTATE.tells_amount(-2.5), ROTATE.tells_amount(-2.0)) == (False, True)
    assert ROTATE.amounts(ROTATE.limit) == (-25, 30)
    assert ROTATE.amounts((-1.0, 1.0)) == (-15, 16)
    assert ROTATE.alpha_of(30 + 1e-9) == 3  # by rounding


def test_an_opposite_slider_achieves_the_same_at_the_opposite_alpha() -> None:
    turned = ROTATE.turned()
    assert turned.calibration is not None
    assert turned.calibration.valid == (-3, 2)
    assert turned.alpha_of(-25) == 2
    assert turned.amount_of(-1.0) == 16
    assert turned.turned() == ROTATE


def test_a_calibration_is_kept_in_the_store_and_by_picks(direction: Direction, store: ArtifactStore) -> None:
    sliders = (dataclasses.replace(ROTATE, name="turn"), direction.sliders[1])
    calibrated = dataclasses.replace(direction, sliders=sliders)
    mine = joined("mine", [Pick(calibrated, 0, "round", opposite=True, limit=(-1.0, 2.0)).alone()])
    save_direction(store, "faces", mine, provenance={}, created="")
    stored, _ = load_direction(store, "faces", "mine")
    assert stored.sliders == mine.sliders
    assert stored.sliders[0].amounts(stored.sliders[0].limit) == (-25, 16)


@pytest.mark.parametrize(
    ("alphas", "amounts", "words"),
    [
        ((0.0,), (0.0,), "as many of both, two or more"),
        ((0.0, 1.0), (0.0,), "as many of both"),
        ((0.0, 1.0), (0.0, float("nan")), "all must be finite"),
        ((1.0, 0.0), (0.0, 1.0), "alphas must rise"),
        ((1.0, 2.0), (1.0, 2.0), "0 must lie between them"),
        ((-1.0, 0.0, 1.0), (1.0, 0.0, 1.0), "amounts must all rise, or all fall"),
        ((0.0, 1.0), (0.0, 181.0), "amount of rotate"),
    ],
)
def test_a_curve_that_does_not_tell_one_alpha_of_an_amount_is_refused(alphas, amounts, words: str) -> None:
    with pytest.raises(GanError, match=words):
        dataclasses.replace(ROTATE, calibration=Calibration(alphas, amounts))


def test_a_slider_without_an_edit_has_nothing_to_be_calibrated() -> None:
    with pytest.raises(GanError, match="'age' imitates no edit"):
        Slider("age", "", "", 1.0, (-1.0, 1.0), (-3.0, 3.0), calibration=TURNS)


def test_a_calibration_that_cannot_be_is_a_corrupt_artifact(direction: Direction, store: ArtifactStore) -> None:
    sliders = (dataclasses.replace(ROTATE, name="turn"), direction.sliders[1])
    ref = save_direction(store, "faces", dataclasses.replace(direction, sliders=sliders), provenance={}, created="")
    manifest = Path(store.path) / ref.folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace("-25.0", "25.0"))
    with pytest.raises(CorruptArtifact, match="amounts must all rise"):
        load_direction(store, "faces", "camera")
