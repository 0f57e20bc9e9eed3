"""Comparing directions: the measures on pictures that are known, and a comparison by a real server."""

import threading

import numpy as np
import pytest

from latentwalk.client import AsyncClient, Frame, Frames, InvalidRequest, Picture, Pictures, Position, Range, Slider
from latentwalk.client._attributes import ATTRIBUTES
from latentwalk.client._comparison import _measures

RANGE = Range((-1.0, 1.0), None)
SLIDER = Slider("s", "", "", RANGE, RANGE)
NOISE = np.random.default_rng(0).uniform(0.3, 0.7, (8, 16, 16, 3))


def pictures(values):
    return Pictures(tuple(Picture.from_array(np.uint8(np.rint(255 * one.clip(0, 1)))) for one in values), "1", "")


def walk(move, low=-1.0, high=1.0, frames=9):
    """The frames of a walk in which `move` makes the pictures of an alpha from the noise."""
    alphas = np.linspace(low, high, frames)
    return Frames(
        tuple(
            Frame(index, pictures(move(NOISE, alpha)), (Position("d", "s", alpha, None),))
            for index, alpha in enumerate(alphas)
        )
    )


def measured(move):
    return _measures("d", SLIDER, pictures(NOISE), walk(move), walk(move, -3.0, 3.0, 31), 0.5)


def test_a_slider_that_brightens_moves_luminance_and_nothing_else():
    found = measured(lambda noise, alpha: noise + 0.1 * alpha)
    assert found.attribute == "luminance"
    assert found.disentanglement > 0.95
    assert found.effect == pytest.approx(0.1, rel=0.02)
    assert found.milliseconds == pytest.approx(500 / (31 * 8))


def test_a_slider_that_does_several_things_at_once_is_less_disentangled():
    alone = measured(lambda noise, alpha: noise + 0.1 * alpha)
    both = measured(lambda noise, alpha: (noise - 0.5) * (1 + 0.3 * alpha) + 0.5 + 0.02 * alpha)
    assert both.disentanglement < alone.disentanglement


def test_the_reach_ends_where_the_pictures_stop_changing():
    low, high = measured(lambda noise, alpha: noise + 0.1 * np.clip(alpha, -1, 2)).reach
    assert low == pytest.approx(-0.9, abs=0.05)
    assert high == pytest.approx(1.8, abs=0.05)


def test_a_slider_that_does_nothing_has_no_effect_and_no_reach():
    found = measured(lambda noise, _: noise)
    assert (found.effect, found.disentanglement, found.reach) == (0.0, 0.0, (0.0, 0.0))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("contrast", lambda blob: 0.5 + 0.5 * (blob - 0.5)),
        ("saturation", lambda blob: blob * np.array([1, 0.2, 0.2])),
        ("warmth", lambda blob: blob * np.array([1, 0.8, 0.5])),
        ("centre_x", lambda blob: np.roll(blob, 3, axis=2)),
        ("centre_y", lambda blob: np.roll(blob, 3, axis=1)),
        ("slant", lambda blob: blob * np.eye(16)[:, :, None]),
        ("spread", lambda blob: np.roll(blob, 7, axis=1)),
        ("sharpness", lambda blob: blob * (np.indices((16, 16)).sum(axis=0) % 2)[:, :, None]),
    ],
)
def test_each_attribute_tells_what_it_is_named_for(name, change):
    blob = np.zeros((1, 16, 16, 3))
    blob[:, 5:11, 5:11] = 1.0
    assert abs(ATTRIBUTES[name](change(blob)) - ATTRIBUTES[name](blob))[0] > 0.02


async def test_a_server_s_directions_are_compared_on_the_same_seeds(client, server):
    compared = client.compare_directions("tiny", ["zoom", "bank:right"], seeds=range(4), frames=5)
    assert [(one.direction, one.slider) for one in compared.sliders] == [("zoom", "zoom"), ("bank", "right")]
    for one in compared.sliders:
        assert one.effect > 0
        assert 0 < one.disentanglement <= 1
        assert one.reach[0] < 0 < one.reach[1]
        assert one.milliseconds > 0
    picture = client.generate("tiny", seeds=0)[0]
    assert compared.sheet.width > 5 * (picture.width + 2) - 2
    assert compared.sheet.height >= 6 * (picture.height + 2) - 2 + 16
    async with AsyncClient(server.address) as other:
        again = await other.compare_directions("tiny", ["zoom", "bank:right"], seeds=range(4), frames=5)
    assert [one.effect for one in again.sliders] == pytest.approx([one.effect for one in compared.sliders], rel=0.05)


async def test_measuring_does_not_keep_the_event_loop(monkeypatch, server):
    measuring = set()

    def where(pictures):
        measuring.add(threading.current_thread())
        return pictures.mean(axis=(1, 2, 3))

    monkeypatch.setitem(ATTRIBUTES, "where", where)
    async with AsyncClient(server.address) as client:
        await client.compare_directions("tiny", "zoom", seeds=range(4), frames=3)
    assert measuring
    assert threading.current_thread() not in measuring


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"directions": "bank:middle"}, "no slider 'middle'; it has left, right"),
        ({"directions": []}, "have 0 sliders"),
        ({"directions": "zoom", "seeds": 1}, "fewer than 2"),
        ({"directions": "zoom", "frames": 2}, "frames: 2 is not from 3"),
    ],
)
def test_what_cannot_be_compared_is_refused(client, arguments, problem):
    with pytest.raises(InvalidRequest, match=problem):
        client.compare_directions("tiny", **arguments)
