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


def test_a_slider_is_moved_by_keys(browser: Chromium, client: Client):
    rotate = row(browser, "rotate")
    browser.evaluate(f"document.querySelector('{rotate} [type=range]').focus()")
    for _ in range(5):
        browser.press("ArrowRight", 39)
    pictures = shown(browser)
    assert browser.evaluate(f"document.querySelector('{rotate} [type=number]').value") == "0.5"
    push = Displacement("rotate", amount=0.5)
    assert np.abs(pictures - drawn(client, seeds=[0], classes=0, displacements=push)).max() <= 1


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
    wait_until((tmp_path / "digits.png").exists, 30)
    with Image.open(tmp_path / "digits.png") as saved:
        assert np.abs(np.asarray(saved).astype(int) - drawn(client, seeds=[0], classes=0)[0]).max() <= 1
