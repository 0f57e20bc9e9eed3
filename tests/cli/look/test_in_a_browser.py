"""The page of `latentwalk look` in a real browser: what a hand does to it, and what an eye sees."""

import io
import json
import shutil
from base64 import b64decode
from collections.abc import Iterator

import numpy as np
import pytest
from chromium import Chromium
from PIL import Image

from latentwalk.cli.look.viewers import MOST_VIEWERS
from latentwalk.client import Client, Displacement

PROGRAM = shutil.which("chromium")

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs chromium")


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(PROGRAM or "", tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def browser(chromium: Chromium, look_at, client: Client) -> Iterator[Chromium]:
    """On the page of the digits, with its first picture."""
    chromium.complaints.clear()
    chromium.order("Page.navigate", url=look_at(client, "digits").url)
    chromium.wait("document.querySelector('#pictures[aria-busy=false] img')")
    yield chromium
    chromium.order("Page.navigate", url="about:blank")
    assert chromium.complaints == []


def shown(browser: Chromium) -> np.ndarray:
    """The pixels that are seen when nothing moves any more, [N, H, W]."""
    browser.wait("document.querySelector('#pictures[aria-busy=false]')")
    urls = browser.evaluate("[...document.querySelectorAll('#pictures img')].map((one) => one.src)")
    return np.stack([np.asarray(Image.open(io.BytesIO(b64decode(url.partition(",")[2])))).astype(int) for url in urls])


def drawn(client: Client, **position) -> np.ndarray:
    return client.generate("digits", **position).array[..., 0].astype(int)


def choose(browser: Chromium, identifier: str, value: str) -> None:
    """Gives a field or a choice another value."""
    element = f"document.getElementById({json.dumps(identifier)})"
    browser.evaluate(f"{element}.value = {json.dumps(value)}")
    for kind in ("input", "change"):
        browser.evaluate(f"{element}.dispatchEvent(new Event('{kind}'))")


def row(browser: Chromium, name: str) -> str:
    """The selector of a slider's row."""
    find = "[...document.querySelectorAll('.slider label')].find((one) => one.textContent === " + json.dumps(name) + ")"
    return f".slider:has(#{browser.evaluate(f'{find}.htmlFor')})"


KEYS = {"PageUp": 33, "PageDown": 34, "End": 35, "Home": 36, "Delete": 46}
KEYS |= {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}


def pressed(browser: Chromium, name: str, kind: str, *keys: str) -> None:
    """Presses keys, one after another, on the track or the number of a slider."""
    browser.evaluate(f"document.querySelector('{row(browser, name)} [type={kind}]').focus()")
    for key in keys:
        *shift, plain = key.split("+")
        browser.press(plain, KEYS[plain], shift=bool(shift))


def number(browser: Chromium, name: str) -> str:
    """What the number of a slider says."""
    return browser.evaluate(f"document.querySelector('{row(browser, name)} [type=number]').value")


def choose_number(browser: Chromium, name: str, value: str) -> None:
    """Types the number of a slider."""
    field = f"document.querySelector('{row(browser, name)} [type=number]')"
    browser.evaluate(f"{field}.value = {value}; {field}.dispatchEvent(new Event('change'))")


def test_the_first_picture_is_seen_without_a_move(browser: Chromium, client: Client):
    assert np.abs(shown(browser) - drawn(client, seeds=[0], classes=0)).max() <= 1
    assert "ms after the move" in browser.evaluate("document.getElementById('status').textContent")
    assert browser.evaluate("document.querySelector('#pictures img').width") % 32 == 0


def test_a_slider_that_is_dragged_ends_where_its_number_says(browser: Chromium, client: Client):
    choose(browser, "class", "3")
    choose(browser, "seeds", "7,8")
    browser.drag(f"{row(browser, 'zoom')} [type=range]", 0.8)
    pictures = shown(browser)
    amount = float(browser.evaluate(f"document.querySelector('{row(browser, 'zoom')} [type=number]').value"))
    assert 1.3 < amount < 2.0
    push = Displacement("zoom", amount=amount)
    assert np.abs(pictures - drawn(client, seeds=[7, 8], classes=3, displacements=push)).max() <= 1
    command = browser.evaluate("document.getElementById('command').textContent")
    assert f"--seeds 7-8 --classes 3 --amount zoom={amount:g} " in command
    browser.evaluate("document.getElementById('reset').click()")
    assert np.abs(shown(browser) - drawn(client, seeds=[7, 8], classes=3)).max() <= 1


@pytest.mark.parametrize(("wide", "high", "pixel_ratio"), [(390, 844, 1), (1280, 900, 1), (1280, 900, 1.5)])
def test_pictures_keep_their_form_and_their_pixels_are_squares(browser: Chromium, wide, high, pixel_ratio):
    screen = {"width": wide, "height": high, "deviceScaleFactor": pixel_ratio, "mobile": False}
    browser.order("Emulation.setDeviceMetricsOverride", **screen)
    try:
        choose(browser, "seeds", "1-6")
        browser.wait("document.querySelectorAll('#pictures img').length === 6")
        boxes = "[...document.querySelectorAll('#pictures img')].map((one) => one.getBoundingClientRect().toJSON())"
        seen = browser.evaluate(boxes)
        shown(browser)
    finally:
        browser.order("Emulation.clearDeviceMetricsOverride")
    enlarged = seen[0]["width"] * pixel_ratio / 32
    assert enlarged == pytest.approx(round(enlarged), abs=0.01)
    assert all(one["height"] == pytest.approx(one["width"], abs=0.1) for one in seen)
    assert len({one["x"] for one in seen}) == 3  # in two rows, with no gap


def test_a_factor_is_as_fine_at_either_end(browser: Chromium):
    zoom = f"document.querySelector('{row(browser, 'zoom')} [type=number]')"
    assert browser.evaluate(f"{zoom}.value") == "1.00"
    ends = browser.evaluate(f"[{zoom}.min, {zoom}.max].map(Number)")
    for share, end in zip((0, 1), ends, strict=True):
        browser.drag(f"{row(browser, 'zoom')} [type=range]", share)
        assert browser.evaluate(f"Number({zoom}.value)") == end
    assert ends[0] * 1000 % 1 == pytest.approx(0)
    shown(browser)


def test_a_folded_bank_tells_how_many_of_its_sliders_are_moved(browser: Chromium):
    bank = "[...document.querySelectorAll('details')].find((one) => one.textContent.startsWith('components'))"
    assert browser.evaluate(f"{bank}.querySelector('summary').textContent") == "components · 2 sliders"
    number = f"{bank}.querySelectorAll('[type=number]')[1]"
    browser.evaluate(f"{number}.value = 2; {number}.dispatchEvent(new Event('change'))")
    assert browser.evaluate(f"{bank}.querySelector('summary').textContent") == "components · 2 sliders, 1 moved"
    browser.evaluate("document.getElementById('reset').click()")
    assert browser.evaluate(f"{bank}.querySelector('summary').textContent") == "components · 2 sliders"
    shown(browser)


def test_a_slider_is_moved_by_keys(browser: Chromium, client: Client):
    pressed(browser, "rotate", "range", *["ArrowRight"] * 5)
    pictures = shown(browser)
    assert number(browser, "rotate") == "10.0"
    push = Displacement("rotate", amount=10)
    assert np.abs(pictures - drawn(client, seeds=[0], classes=0, displacements=push)).max() <= 1


@pytest.mark.parametrize(
    ("slider", "keys", "far"),
    [
        ("rotate", ["Shift+ArrowUp", "ArrowLeft"], "8.0"),
        ("rotate", ["PageDown", "PageDown", "ArrowDown"], "-22.0"),
        ("rotate", ["End", "ArrowRight"], "90.0"),
        ("rotate", ["Home"], "-90.0"),
        ("rotate", ["End", "Delete"], "0.0"),
        ("zoom", ["ArrowRight"], "1.05"),
        ("zoom", ["ArrowRight"] * 7 + ["ArrowLeft"] * 7, "1.00"),
        ("zoom", ["Home", "PageDown"], "0.216"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_a_press_is_a_step_that_is_seen_and_the_way_back_ends_where_it_began(browser: Chromium, slider, keys, far):
    pressed(browser, slider, "range", *keys)
    assert number(browser, slider) == far
    shown(browser)


def test_keys_that_edit_a_number_edit_it_and_the_others_step(browser: Chromium):
    pressed(browser, "rotate", "number", "ArrowUp", "ArrowUp", "Home", "Delete", "ArrowRight")
    assert number(browser, "rotate") == ".0"
    pressed(browser, "rotate", "number", "PageUp")
    assert number(browser, "rotate") == "10.0"
    shown(browser)


def test_a_key_steps_from_where_a_hand_has_left_a_slider_to_the_next_round_place(browser: Chromium):
    choose_number(browser, "rotate", "13.3")
    pressed(browser, "rotate", "range", "ArrowRight")
    assert number(browser, "rotate") == "14.0"
    choose_number(browser, "rotate", "13.3")
    pressed(browser, "rotate", "range", "ArrowLeft")
    assert number(browser, "rotate") == "12.0"
    shown(browser)


def test_a_slider_of_another_class_is_off_until_it_is_let(browser: Chromium):
    lean = f"document.querySelector('{row(browser, 'lean_of_ones')} [type=range]').disabled"
    assert browser.evaluate(lean)
    choose(browser, "class", "1")
    assert not browser.evaluate(lean)
    choose(browser, "class", "2")
    assert browser.evaluate(lean)
    browser.evaluate("document.getElementById('any-class').click()")
    assert not browser.evaluate(lean)
    shown(browser)


def test_what_is_refused_is_told_in_words_and_the_next_is_seen(browser: Chromium, client: Client):
    choose(browser, "seeds", "many")
    browser.wait("document.getElementById('status').textContent.includes(\"'many' is neither a number nor a range\")")
    choose(browser, "seeds", "5")
    browser.wait("document.getElementById('status').dataset.state === 'good'")
    assert np.abs(shown(browser) - drawn(client, seeds=[5], classes=0)).max() <= 1
    browser.complaints.clear()  # the browser notes that a request was refused


def test_a_page_whose_stream_was_ended_for_others_opens_another(browser: Chromium, client: Client):
    enter = "fetch('viewers', {method: 'POST', body: '{\"encoding\": \"png\"}'})"
    browser.evaluate(f"Promise.all(Array.from({{length: {MOST_VIEWERS}}}, () => {enter})).then(() => true)")
    choose(browser, "class", "6")
    assert np.abs(shown(browser) - drawn(client, seeds=[0], classes=6)).max() <= 1
    browser.complaints.clear()  # the browser notes that there was no stream any more


def test_a_picture_is_saved(browser: Chromium, client: Client, tmp_path, wait_until):
    browser.order("Page.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    choose(browser, "encoding", "jpeg")
    shown(browser)
    browser.evaluate("document.getElementById('save').click()")
    wait_until((tmp_path / "digits.png").exists)
    with Image.open(tmp_path / "digits.png") as saved:
        assert np.abs(np.asarray(saved).astype(int) - drawn(client, seeds=[0], classes=0)[0]).max() <= 1


def test_a_model_without_directions_is_told_how_to_get_one(chromium: Chromium, look_at, client: Client):
    chromium.order("Page.navigate", url=look_at(client, "styled").url)
    chromium.wait("document.querySelector('#pictures[aria-busy=false] img')")
    told = chromium.evaluate("document.querySelector('#sliders .advice').textContent")
    assert told == "It has no directions yet. To train one: latentwalk train edit styled zoom --edit zoom"


def test_a_bank_is_open_where_there_is_nothing_else(chromium: Chromium, look_at, client: Client):
    is_open = (
        "Object.fromEntries([...document.querySelectorAll('#sliders details')].map((one) => [one.innerText, one.open]))"
    )
    opened = {}
    for model in ("banked", "digits"):
        chromium.order("Page.navigate", url=look_at(client, model).url)
        chromium.wait("document.querySelector('#pictures[aria-busy=false] img')")
        opened |= {told.split()[0]: it for told, it in chromium.evaluate(is_open).items()}
    assert (opened["bank"], opened["found"], opened["components"]) == (True, False, True)
