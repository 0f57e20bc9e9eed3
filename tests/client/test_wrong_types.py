"""What is of the wrong type, in any argument: refused by its name, with the value, before anything is sent."""

import numpy as np
import pytest
from PIL import Image

from latentwalk.client import (
    AsyncClient,
    Client,
    CustomEdit,
    Displacement,
    EditTarget,
    Folder,
    Frame,
    Frames,
    Gan,
    InvalidRequest,
    JobState,
    Labels,
    Leg,
    Mix,
    Picture,
    Pictures,
    SliderPick,
    Stretch,
    Style,
    Tls,
    contact_sheet,
    load_latents,
)
from latentwalk.client._files import save_moving

DRAWING = [
    ({"seeds": "a"}, "seeds: 'a' must be a seed or a list of seeds"),
    ({"seeds": np.array(5)}, "seeds: array(5) must be a seed"),
    ({"seeds": [None]}, "seeds[0]: None is not a whole number"),
    ({"seeds": None, "z": [10**400]}, "z: not an array of numbers"),
    ({"seeds": None, "z": [1j]}, "z: not an array of numbers: complex"),
    ({"seeds": None, "w": [[1, 2], [1]]}, "w: not an array of numbers"),
    ({"styles": Style(truncation=np.zeros(3))}, "styles[0].truncation: array([0., 0., 0.]) is not a number"),
    ({"styles": Style(noise=np.zeros(3))}, "styles[0].noise: array([0., 0., 0.]) is not a whole number"),
    ({"classes": [None]}, "classes[0]: None is not a whole number"),
    ({"classes": 2.5}, "classes[0]: 2.5 is not a whole number"),
    ({"classes": "3"}, "classes: '3' must be a class, a mixture, or a list of those"),
    ({"classes": {3: "x"}}, "classes[0][3]: 'x' is not a number"),
    ({"styles": 0.7}, "styles: 0.7 must be Style, or a list of them"),
    ({"styles": [None]}, "styles[0]: None must be Style"),
    ({"styles": Style(truncation="0.7")}, "styles[0].truncation: '0.7' is not a number"),
    ({"styles": Style(truncation=0.5, truncated_layers=1.5)}, "styles[0].truncated_layers: 1.5 is not a whole number"),
    ({"styles": Style(mix=3)}, "styles[0].mix: 3 must be Mix, or a list of them"),
    ({"styles": Style(mix=[3])}, "styles[0].mix[0]: 3 must be Mix"),
    ({"styles": Style(mix=Mix("a", [1]))}, "styles[0].mix[0].seed: 'a' is not a whole number"),
    ({"styles": Style(mix=Mix(1, [1], truncation="x"))}, "styles[0].mix[0].truncation: 'x' is not a number"),
    ({"styles": Style(noise="some")}, "styles[0].noise: 'some' is neither 'weights', 'none' nor a seed"),
    ({"styles": Style(noise_strength="x")}, "styles[0].noise_strength: 'x' is not a number"),
    ({"displacements": "zoom"}, "displacements: 'zoom' must be Displacement, or a list of them"),
    ({"displacements": [5]}, "displacements[0]: 5 must be Displacement"),
    ({"displacements": Displacement("zoom", alpha="x")}, "displacements[0].alpha: 'x' is not a number"),
    ({"displacements": Displacement(5, alpha=1)}, "displacements[0].direction: 5 must be text"),
    ({"displacements": Displacement("zoom", alpha=1, slider=3)}, "displacements[0].slider: 3 must be text"),
    ({"any_class": "yes"}, "any_class: 'yes' is neither True nor False"),
    ({"encoding": []}, "encoding: [] is none of raw, png"),
    ({"timeout": "x"}, "timeout: 'x' is not a number"),
]

WALKS = [
    ({"alpha": "x"}, "alpha: 'x' must be two numbers, (from, to)"),
    ({"alpha": 0.5}, "alpha: 0.5 must be two numbers, (from, to)"),
    ({"amount": (1, 2, 3)}, "amount: (1, 2, 3) must be two numbers, (from, to)"),
    ({"amount": (1, "a")}, "amount[1]: 'a' is not a number"),
    ({"frames": 2.5}, "frames: 2.5 is not a whole number"),
    ({"direction": 5}, "direction: 5 must be text"),
    ({"slider": 3}, "slider: 3 must be text"),
    ({"loop": "no"}, "loop: 'no' is neither True nor False"),
    ({"fps": "x"}, "fps: 'x' is not a number"),
]

JOBS = [
    ("train_edit", {"edits": 5}, "edits: 5 must be text or EditTarget, or a list of them"),
    ("train_edit", {"edits": [None]}, "edits[0]: None must be text or EditTarget"),
    ("train_edit", {"edits": EditTarget("zoom", "a", 1)}, "edits[0].low: 'a' is not a number"),
    ("train_edit", {"edits": EditTarget(5)}, "edits[0].edit: 5 must be text"),
    ("train_edit", {"edits": EditTarget(CustomEdit("a", "affine", [[1]], unit=5))}, "edits[0].edit.unit: 5 must be"),
    ("train_edit", {"edits": "zoom", "learning_rate": "x"}, "learning_rate: 'x' is not a number"),
    ("train_edit", {"edits": "zoom", "layers": 3}, "layers: 3 must be a list of whole numbers"),
    ("train_edit", {"edits": "zoom", "space": None}, "space: None must be text"),
    ("train_edit", {"edits": "zoom", "request_id": 5}, "request_id: 5 must be text"),
    ("train_edit", {"edits": "zoom", "request_id": np.zeros(3)}, "request_id: array([0., 0., 0.]) must be text"),
    ("train_edit", {"edits": "zoom", "classes": np.zeros(3)}, "classes: array([0., 0., 0.]) is not a whole number"),
    ("train_edit", {"edits": "zoom", "model_version": 2.5}, "model_version: 2.5 is not a whole number"),
    ("train_edit", {"edits": EditTarget(CustomEdit("a", "affine", [10**400]))}, "edits[0].edit.matrix: not an array"),
    ("train_edit", {"edits": EditTarget(CustomEdit("a", 5, [[1]]))}, "edits[0].edit.kind: 5 must be text"),
    ("train_edit", {"edits": "zoom", "direction": None}, "direction: None must be text"),
    ("train_boundary", {"attribute": 5}, "attribute: 5 must be text"),
    ("train_boundary", {"classifier": "digits:3"}, "classifier: 'digits:3' must be (name, class)"),
    ("train_boundary", {"classifier": ("digits", "3")}, "classifier[1]: '3' is not a whole number"),
    ("train_boundary", {"attribute": "red", "conditions": "age"}, "conditions: 'age' must be a list of directions"),
    ("train_boundary", {"attribute": "red", "conditions": [5]}, "conditions[0]: 5 must be a direction, or a pair"),
    ("train_boundary", {"attribute": "red", "classes": 3}, "classes: 3 must be a list of whole numbers"),
    ("train_boundary", {"attribute": "red", "labels": {7: 1}}, "give one of attribute, classifier and labels"),
    ("train_boundary", {"labels": [7, 8]}, "labels: [7, 8] must be Labels, or seeds with their scores, like {7: 1, 8:"),
    ("train_boundary", {"labels": {"7": 1}}, "labels: '7' is not a whole number"),
    ("train_boundary", {"labels": {7: "yes"}}, "labels[7]: 'yes' is not a number"),
    ("train_boundary", {"labels": {-1: 1}}, "labels: -1 is not from 0"),
    ("train_boundary", {"labels": Labels([1])}, "labels: give one of seeds, z and w"),
    ("train_boundary", {"labels": Labels("yes", seeds=[1])}, "labels.scores: not an array of numbers"),
    ("train_boundary", {"labels": Labels([1], seeds=7)}, "labels.seeds: 7 must be a list of seeds"),
    ("train_boundary", {"labels": Labels([1], w=np.zeros((1, 4, 5)))}, "labels.w: shape [1, 4, 5], must be [N, W]"),
    ("train_boundary", {"labels": Labels([1], z=np.zeros(5))}, "labels.z: shape [5], must be [N, Z]"),
    ("train_pca", {"classes": 3}, "classes: 3 must be a list of whole numbers"),
    ("train_discovery", {"classes": 3}, "classes: 3 must be a list of whole numbers"),
    ("train_discovery", {"shift_scale": "x"}, "shift_scale: 'x' is not a number"),
    ("train_discovery", {"data": Folder(5)}, "data.path: 5 must be text"),
    ("train_class_directions", {"separate_predictors": "x"}, "separate_predictors: 'x' is neither True nor False"),
    ("train_sefa", {"layers": "0-3"}, "layers: '0-3' must be a list of whole numbers"),
]

BLACK = Picture.from_array(np.zeros((2, 2, 3), np.uint8))

OTHERS = [
    (lambda c: c.generate(5, seeds=1), "model: 5 must be text"),
    (lambda c: c.generate("\ud800", seeds=1), "model: '\\ud800' is no text that can be written in UTF-8"),
    (lambda _: Mix(1, 3), "layers: 3 must be a list of whole numbers"),
    (lambda c: c.walk("m", "d", seeds=1, timeout="x").header(), "timeout: 'x' is not a number"),
    (lambda c: c.walk_legs("m", "zoom", seeds=1), "legs: 'zoom' must be Leg, or a list of them"),
    (lambda c: c.walk_legs("m", Leg("zoom"), seeds=1), "legs[0].stretches: 'zoom' must be Stretch, or a list of them"),
    (lambda c: c.walk_legs("m", Leg(Stretch("zoom"), frames="many"), seeds=1), "legs[0].frames: 'many' is not a whole"),
    (lambda c: c.interpolate("m", seeds=[1, 2], space=5), "space: 5 must be text"),
    (lambda c: c.invert(5, BLACK), "model: 5 must be text"),
    (lambda c: c.invert("m", BLACK, space=5), "space: 5 must be text"),
    (lambda c: c.interpolate("m", seeds=[1, 2], space=np.zeros(3)), "space: array([0., 0., 0.]) must be text"),
    (lambda c: c.invert("m", BLACK, prior="x"), "prior: 'x' is not a number"),
    (lambda c: c.invert("m", [[1], [1, 2]]), "picture: object [], must be a Picture, or pixels uint8"),
    (lambda c: c.load_model("m", version=None), "version: None is not a whole number"),
    (lambda c: c.model(5), "name: 5 must be text"),
    (lambda c: c.versions("models"), "kind: 'models' is none of generator, direction, classifier"),
    (lambda c: c.versions(name=5), "name: 5 must be text"),
    (lambda c: c.delete_version("direction", "m/d", "new"), "version: 'new' is not a whole number"),
    (lambda c: c.delete_version("direction", "m/d", 0), "version: 0 is not from 1"),
    (lambda c: c.delete_version("direction", "m/d", 1, ask_trainer=2), "ask_trainer: 2 is neither True nor False"),
    (lambda c: c.pick_sliders("m", "d", "found"), "picks: 'found' must be SliderPick, or a list of them"),
    (lambda c: c.pick_sliders("m", "d", SliderPick("f", slider=3)), "picks[0].slider: 3 must be text"),
    (lambda c: c.pick_sliders("m", "d", SliderPick("f", alpha=3)), "picks[0].alpha: 3 must be the least and"),
    (lambda c: c.pick_sliders("m", "d", SliderPick("f", alpha=(0, "x"))), "picks[0].alpha: 'x' is not a number"),
    (lambda c: c.direction("m", None), "name: None must be text"),
    (lambda c: c.train_gan("m", 5), "gan: 5 must be Gan"),
    (lambda c: c.train_gan("m", Gan(data=5)), "data: 5 must be text"),
    (lambda c: c.train_gan("m", Gan(data="MNIST", penalty="x")), "penalty: 'x' is not a number"),
    (lambda c: c.train_gan("m", Gan(data="MNIST", conditional="x")), "conditional: 'x' is neither True nor False"),
    (lambda c: c.train_gan("m", Gan(data="MNIST", augmentation=5)), "augmentation: 5 must be text or EditTarget"),
    (lambda c: c.train_classifier(5, "MNIST"), "name: 5 must be text"),
    (lambda c: c.train_evaluation("m", classifier=5), "classifier: 5 must be text"),
    (lambda c: c.train_evaluation("m", directions="zoom"), "directions: 'zoom' must be a list of directions"),
    (lambda c: c.train_evaluation("m", directions=[("zoom", 5)]), "directions[0][1]: 5 must be text"),
    (lambda c: c.train_edit("m", "d", edits="zoom", truncation="x"), "truncation: 'x' is not a number"),
    (lambda c: c.train_edit("m", "d", edits="zoom", truncation=(1, 0.5)), "truncation[1]: 0.5 is not a whole number"),
    (lambda c: c.train_edit("m", "d", edits="zoom", threshold="x"), "threshold: 'x' is not a number"),
    (lambda c: c.train_evaluation("m", truncations=0.7), "truncations: 0.7 must be a list of numbers, or of pairs"),
    (lambda c: c.train_evaluation("m", truncations=[(1, 2, 3)]), "truncations[0]: (1, 2, 3) must be a number, or a"),
    (lambda c: c.train_evaluation("m", truncations=[(1, 0.5)]), "truncations[0][1]: 0.5 is not a whole number"),
    (lambda c: c.train_evaluation("m", thresholds=["x"]), "thresholds[0]: 'x' is not a number"),
    (lambda c: c.jobs(states=["odd"]), "states[0]: 'odd' is none of queued, running"),
    (lambda c: c.jobs(states=[JobState.UNKNOWN]), "states[0]: 'unknown' is none of queued, running"),
    (lambda c: c.job(5), "job_id: 5 must be text"),
    (lambda c: c.compare_directions("m", 5), "directions: 5 must be text, or a list of them"),
    (lambda c: c.compare_directions("m", "d", frames="x"), "frames: 'x' is not a whole number"),
    (lambda c: c.wait_ready("x"), "timeout: 'x' is not a number"),
    (lambda _: Client(5), "address: 5 must be text"),
    (lambda _: Client(retries="x"), "retries: 'x' is not a whole number"),
    (lambda _: Client(timeout="x"), "timeout: 'x' is not a number"),
    (lambda _: Client(token="secret\n"), "token: has a character that no header can carry"),
    (lambda _: AsyncClient(trainer_address=[]), "trainer_address: [] must be text"),
    (lambda _: Tls(5), "tls.root: 5 must be text or PathLike"),
    (lambda _: Tls(certificate="a"), "tls: give both certificate and key"),
    (lambda _: Tls("a\0b"), "tls.root: 'a\\x00b' can be no path"),
]

TWO = Frames((Frame(0, Pictures((BLACK, BLACK), "1", ""), ()),))
LARGE = Frames((Frame(0, Pictures((Picture.from_array(np.zeros((4, 4, 3), np.uint8)),), "1", ""), ()),))

PICTURES = [
    (lambda: Picture.from_array(5), "pixels: int64 [], must be pixels uint8 [height, width, channels]"),
    (lambda: Picture.from_array(np.zeros((2, 2, 3))), "pixels: float64 [2, 2, 3], must be"),
    (lambda: Picture.from_array(np.zeros((2, 2), np.uint8)), "pixels: uint8 [2, 2], must be"),
    (lambda: Picture.from_image(5), "image: 5 must be Image"),
    (lambda: Picture.from_image(Image.new("RGBA", (2, 2))), "image: is in mode 'RGBA', must be in L or RGB"),
    (lambda: Picture.open(None), "path: None must be text or PathLike"),
    (lambda: BLACK.fitted("2", 2, 3), "width: '2' is not a whole number"),
    (lambda: BLACK.fitted(2, 0, 3), "height: 0 is not from 1"),
    (lambda: BLACK.fitted(2, 2, 4), "channels: 4 is neither 1 nor 3"),
    (lambda: BLACK.save(5), "path: 5 must be text or PathLike"),
    (lambda: TWO[0].pictures.grid(0), "columns: 0 is not from 1"),
    (lambda: TWO[0].pictures[2:].strip(), "pictures: have 0 sizes; give at least one"),
    (lambda: TWO[1:].save("a.png"), "pictures: have 0 sizes; give at least one"),
    (lambda: TWO[1:].save("a.gif"), "pictures: are none"),
    (lambda: contact_sheet(5), "walks: 5 must be a list of pairs (name, frames)"),
    (lambda: contact_sheet(["zoom"]), "walks[0]: 'zoom' must be a pair (name, frames)"),
    (lambda: contact_sheet([(5, TWO)]), "walks[0][0]: 5 must be text"),
    (lambda: contact_sheet([("zoom", BLACK)]), "walks[0][1]: "),
    (lambda: contact_sheet([("zoom", TWO[1:])]), "nothing to show"),
    (lambda: contact_sheet([("zoom", TWO), ("shift", LARGE)]), "walks: have pictures of 2 sizes"),
    (lambda: contact_sheet([("zoom", TWO)], rows=0), "rows: 0 is not from 1"),
    (load_latents, "latents: are none"),
    (lambda: load_latents(5), "latents: 5 must be text or PathLike"),
]


def refused(call, told: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        call()
    assert told in str(caught.value)


@pytest.fixture(scope="module")
def nobody():
    with Client("127.0.0.1:1", trainer_address="127.0.0.1:1", timeout=1, retries=0) as nobody:
        yield nobody


@pytest.mark.parametrize(("asked", "told"), DRAWING)
def test_what_is_drawn(nobody: Client, asked: dict, told: str):
    refused(lambda: nobody.generate("m", **{"seeds": 1} | asked), told)


@pytest.mark.parametrize(("asked", "told"), WALKS)
def test_where_it_walks(nobody: Client, asked: dict, told: str):
    refused(lambda: nobody.walk(**{"model": "m", "direction": "d", "seeds": 1} | asked), told)


@pytest.mark.parametrize(("verb", "asked", "told"), JOBS)
def test_what_is_trained(nobody: Client, verb: str, asked: dict, told: str):
    refused(lambda: getattr(nobody, verb)(**{"model": "m", "direction": "d"} | asked), told)


@pytest.mark.parametrize(("call", "told"), OTHERS)
def test_what_else_is_asked(nobody: Client, call, told: str):
    refused(lambda: call(nobody), told)


@pytest.mark.parametrize(("call", "told"), PICTURES)
def test_what_becomes_of_pictures(call, told: str):
    refused(call, told)


def test_how_fast_frames_play(tmp_path):
    picture = Picture.from_array(np.zeros((2, 2, 3), np.uint8))
    refused(lambda: save_moving([picture.image()], tmp_path / "a.gif", "x"), "fps: 'x' is not a number")


def test_numbers_of_numpy_are_numbers(client: Client):
    asked = {"seeds": np.arange(2), "displacements": Displacement("zoom", alpha=np.float32(0.5))}
    assert len(client.generate("tiny", **asked, any_class=np.bool_(True), timeout=np.int64(60))) == 2


def test_seeds_that_can_be_read_once_are_compared(client: Client):
    once, twice = (client.compare_directions("tiny", "zoom", seeds=seeds) for seeds in (iter(range(3)), range(3)))
    assert once.sliders[0].effect == twice.sliders[0].effect
