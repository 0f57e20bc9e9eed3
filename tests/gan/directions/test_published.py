"""Bare arrays that others have published, read as directions."""

import math

import pytest
import torch
from styled import SPEC

from latentwalk.gan.directions.published import Reading, Vectors, published_direction, read_vectors
from latentwalk.gan.errors import GanError
from latentwalk.gan.spec import SPACES, GeneratorSpec

# z of 6, w of 5, 4 layers.
PLAIN = GeneratorSpec("dcgan", 6, 0, 16, 3, {"width": 4})
# As StyleGAN's own, z and w are of one size.
ALIKE = GeneratorSpec("stylegan", 5, 0, 8, 3, SPEC.config, spaces=SPACES, layers=4, w_size=5)


def some(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("shape", "reading", "space", "expected"),
    [
        ((6,), Reading(), "z", (1, 6)),
        ((1, 6), Reading(), "z", (1, 6)),
        ((3, 6), Reading("z"), "z", (3, 6)),
        ((3, 5), Reading(), "w", (3, 5)),
        ((1, 4, 5), Reading(), "w+", (1, 20)),
        ((3, 4, 5), Reading(), "w+", (3, 20)),
        ((4, 5), Reading("w+"), "w+", (1, 20)),
        ((4, 5), Reading("w"), "w", (4, 5)),
        ((3, 20), Reading(), "w+", (3, 20)),
        ((2, 5), Reading("w+", (1, 3)), "w+", (1, 10)),
    ],
)
def test_the_shape_says_what_it_can(
    shape: tuple[int, ...], reading: Reading, space: str, expected: tuple[int, int]
) -> None:
    array = some(*shape)
    vectors = read_vectors(array, SPEC, reading)
    assert (vectors.space, vectors.layers) == (space, reading.layers)
    assert torch.equal(vectors.rows, array.reshape(expected))


def test_of_the_rows_of_all_layers_those_that_are_moved_are_taken() -> None:
    array = some(2, 4, 5)
    vectors = read_vectors(array, SPEC, Reading("w+", (0, 2)))
    assert torch.equal(vectors.rows, array[:, [0, 2]].flatten(1))
    direction = published_direction("pose", "sha256:0", vectors)
    direction.check_spec(SPEC)
    moved = direction.walk(torch.zeros(1, 4, 5), 1, 2.0)
    assert torch.equal(moved[0, [0, 2]], 2 * array[1, [0, 2]])
    assert not moved[0, [1, 3]].any()


def test_a_vector_in_w_moves_some_layers_alike() -> None:
    array = some(1, 5)
    vectors = read_vectors(array, SPEC, Reading("w", (1, 2), normalise=True))
    assert vectors.space == "w+"
    moved = published_direction("age", "sha256:0", vectors).walk(torch.zeros(1, 4, 5), 0, 1.0)[0]
    torch.testing.assert_close(moved, torch.stack([torch.zeros(5), *[array[0] / array.norm()] * 2, torch.zeros(5)]))


def test_columns_are_vectors_if_that_is_said() -> None:
    array = some(6, 2)
    assert torch.equal(read_vectors(array, PLAIN, Reading(in_columns=True)).rows, array.T)


def test_lengths_are_kept_or_brought_to_1_and_told() -> None:
    array = torch.tensor([[3.0, 4, 0, 0, 0, 0], [0, 0, 0.5, 0, 0, 0]], dtype=torch.float64)
    kept = read_vectors(array, PLAIN, Reading())
    assert (kept.rows.dtype, kept.lengths.tolist()) == (torch.float32, [5, 0.5])
    unit = read_vectors(array, PLAIN, Reading(normalise=True))
    assert unit.lengths.tolist() == [5, 0.5]
    torch.testing.assert_close(unit.rows[0, :2], torch.tensor([0.6, 0.8]))
    assert unit.rows[1, 2] == 1


@pytest.mark.parametrize(
    ("array", "spec", "reading", "said"),
    [
        (some(3, 7), PLAIN, Reading(), r"array of \[3, 7\], it must be \[K, 6\] in z; without K for one"),
        (
            *(some(3, 7), SPEC, Reading()),
            r"it must be \[K, 6\] in z or \[K, 5\] in w or \[K, 4, 5\] in w\+; without K for one",
        ),
        (some(1, 5), ALIKE, Reading(), r"array of \[1, 5\], it may be \[K, 5\] in z or \[K, 5\] in w: say which"),
        (some(4, 5), ALIKE, Reading(), r"\[K, 5\] in z or \[K, 5\] in w or \[K, 4, 5\] in w\+: say which space"),
        (some(1, 6), SPEC, Reading("w+"), r"it must be \[K, 4, 5\] in w\+"),
        (some(3, 5), SPEC, Reading("w+", (0, 1)), r"it must be \[K, 2, 5\] or \[K, 4, 5\] in w\+"),
        (some(1, 6), PLAIN, Reading("w"), "space: it is w, the generator has z"),
        (some(1, 1, 6), PLAIN, Reading(), r"array of \[1, 1, 6\], it must be"),
        (torch.tensor(1.0), PLAIN, Reading(), r"array of \[\], it must be"),
        (torch.ones(0, 6), PLAIN, Reading(), r"array of \[0, 6\], it must be"),
        (torch.ones(1, 6, dtype=torch.int64), PLAIN, Reading(), r"of torch\.int64: directions are floating-point"),
        (some(6), PLAIN, Reading(in_columns=True), r"array of \[6\]: only one of two sides has vectors in its columns"),
        (torch.full((2, 6), math.nan), PLAIN, Reading(), "vector 0 has 6 of 6 numbers that are not finite"),
        (torch.full((1, 6), 1e300, dtype=torch.float64), PLAIN, Reading(normalise=True), "not finite as float32"),
        (torch.eye(6) * torch.tensor([1.0, 0, 1, 1, 1, 1]), PLAIN, Reading(), "vector 1 is nothing but zeros"),
        (torch.ones(4_097, 6), PLAIN, Reading(), "it holds 4,097 vectors, the limit is 4,096"),
        (some(6), PLAIN, Reading(layers=(0,)), "layers: z has none"),
        (some(1, 6), SPEC, Reading("z", (0,)), "layers: z has none"),
        (some(1, 5), SPEC, Reading("w", (1, 4)), "layers: 4 must be from 0 to 3"),
    ],
)
def test_what_cannot_be_a_direction_is_refused_with_what_fits(
    array: torch.Tensor, spec: GeneratorSpec, reading: Reading, said: str
) -> None:
    with pytest.raises(GanError, match=said):
        read_vectors(array, spec, reading)


@pytest.fixture
def two() -> Vectors:
    return read_vectors(some(2, 6), PLAIN, Reading())


def test_sliders_have_names_and_ranges(two: Vectors) -> None:
    named = published_direction("face", "sha256:0", two, sliders=("smile", "age"), shown=(-1.0, 2.5))
    assert [(one.name, one.trained, one.limit) for one in named.sliders] == [
        ("smile", (-1, 2.5), (-2, 5)),
        ("age", (-1, 2.5), (-2, 5)),
    ]
    assert [one.name for one in published_direction("face", "sha256:0", two).sliders] == ["0", "1"]
    single = read_vectors(some(6), PLAIN, Reading())
    (slider,) = published_direction("smile", "sha256:0", single).sliders
    assert (slider.name, slider.trained, slider.limit) == ("smile", (-3, 3), (-6, 6))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"sliders": ("smile",)}, "1 names were given for 2 sliders"),
        ({"sliders": ("smile", "")}, "name of a slider is ''"),
        ({"sliders": ("smile", "a:b")}, "name of a slider is 'a:b'"),
        ({"sliders": ("smile", "smile")}, "two share a name"),
        ({"shown": (1.0, 3.0)}, "range of alpha is 1 to 3: it must rise, with 0"),
        ({"shown": (3.0, -3.0)}, "range of alpha is 3 to -3"),
        ({"shown": (0.0, 0.0)}, "range of alpha is 0 to 0"),
        ({"shown": (0.0, math.inf)}, "must be finite"),
        ({"shown": (math.nan, 1.0)}, "range of alpha is nan to 1"),
    ],
)
def test_names_and_ranges_that_cannot_be_are_refused(two: Vectors, more: dict[str, tuple[object, ...]], said: str):
    with pytest.raises(GanError, match=said):
        published_direction("face", "sha256:0", two, **more)
