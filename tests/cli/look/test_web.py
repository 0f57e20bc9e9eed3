"""`latentwalk look` as a browser meets it: a real server with the digits, and real HTTP."""

import io
import json
import re
import shlex
import signal
import socket
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from latentwalk.cli.commands import app
from latentwalk.cli.look.looking import Looking
from latentwalk.cli.look.position import MOST_PICTURES
from latentwalk.cli.look.viewers import MOST_VIEWERS
from latentwalk.cli.look.web import FILES, MOST_BYTES, MOST_CONNECTIONS
from latentwalk.client import Client, Displacement, Style

ZOOMED = {"seeds": "7", "class_id": 3, "displacements": [{"direction": "zoom", "amount": 1.4}]}


class Page:
    """What a page does, over one connection."""

    def __init__(self, url: str) -> None:
        self.url = urlsplit(url)
        self._connection = HTTPConnection(str(self.url.hostname), self.url.port or 0, timeout=300)

    def ask(self, method: str, path: str, value: Any = None, **headers: str) -> HTTPResponse:
        body = value if isinstance(value, bytes | None) else json.dumps(value).encode()
        self._connection.request(method, self.url.path + path, body, headers)
        return self._connection.getresponse()

    def json(self, method: str, path: str, value: Any = None) -> Any:
        reply = self.ask(method, path, value)
        told = json.loads(reply.read())
        assert reply.status == 200, told
        return told

    def refused(self, method: str, path: str, value: Any = None, **headers: str) -> tuple[int, str]:
        reply = self.ask(method, path, value, **headers)
        return reply.status, json.loads(reply.read())["error"]

    def enter(self, encoding: str = "png") -> str:
        return self.json("POST", "viewers", {"encoding": encoding})["viewer"]

    def go(self, viewer: str, position: Any) -> dict[str, Any]:
        """The answer to a position."""
        number = self.json("POST", f"viewers/{viewer}/position", position)["sequence"]
        while (answer := self.json("GET", f"viewers/{viewer}/answer"))["sequence"] < number:
            pass
        return answer

    def close(self) -> None:
        self._connection.close()


def pixels(url: str) -> np.ndarray:
    """Of a picture in an answer."""
    with Image.open(io.BytesIO(b64decode(url.partition(",")[2]))) as image:
        return np.asarray(image).astype(int).reshape(image.height, image.width, -1)


@pytest.fixture
def pages(look_at) -> Iterator[Callable[[Client, str], Page]]:
    """A page on a model, as many as are wanted."""
    with ExitStack() as stack:
        yield lambda client, model: stack.enter_context(closing(Page(look_at(client, model).url)))


@pytest.fixture
def page(pages, client: Client) -> Page:
    """A page on the digits."""
    return pages(client, "digits")


def test_the_page_brings_all_that_it_needs(page: Page):
    texts = {name: page.ask("GET", name).read().decode() for name in FILES}
    assert all(named in texts[""] for named in ('href="look.css"', 'src="look.js"'))
    assert set(re.findall(r'from "\./(.+)";', "".join(texts.values()))) == {"asking.js", "pictures.js", "slider.js"}
    assert all("//" not in text.replace("// ", "") for text in texts.values())
    reply = page.ask("GET", "")
    reply.read()
    assert reply.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert not [name for name in reply.headers if name.startswith("Access-Control")]


def test_it_is_told_what_there_is_to_drag(page: Page):
    told = page.json("GET", "model")
    assert (told["name"], told["classes"], told["truncates"], told["encoding"]) == ("digits", 10, False, "png")
    sliders = {one["name"]: one["sliders"] for one in told["directions"]}
    (zoom,), (rotate,), (lean,) = sliders["zoom"], sliders["rotate"], sliders["lean_of_ones"]
    assert (zoom["measure"], zoom["unit"], zoom["rest"], zoom["multiplies"]) == ("amount", "x", 1, True)
    assert zoom["trained"] == pytest.approx([0.6, 1.4])
    assert (rotate["unit"], rotate["rest"], rotate["multiplies"]) == ("deg", 0, False)
    assert rotate["limit"] == pytest.approx([-90, 90])
    assert lean["class_id"] == 1
    assert [(one["name"], one["measure"], one["limit"]) for one in sliders["components"]] == [
        ("0", "alpha", [-6, 6]),
        ("1", "alpha", [-6, 6]),
    ]


def test_a_position_goes_in_and_its_pictures_come_out(page: Page, client: Client):
    push = Displacement("zoom", amount=1.4)
    expected = client.generate("digits", seeds=[7, 8], classes=3, displacements=push)
    answer = page.go(page.enter(), {**ZOOMED, "seeds": "7,8"})
    drawn = [pixels(one) for one in answer["pictures"]]
    assert np.abs(np.stack(drawn) - expected.array).max() <= 1
    assert np.abs(drawn[0] - client.generate("digits", seeds=7, classes=3)[0].array).mean() > 5


@pytest.mark.parametrize("encoding", ["png", "jpeg", "webp"])
def test_pictures_travel_as_the_page_wants_them(page: Page, client: Client, encoding: str):
    (picture,) = page.go(page.enter(encoding), ZOOMED)["pictures"]
    assert picture.startswith(f"data:image/{encoding};base64,")
    with Image.open(io.BytesIO(b64decode(picture.partition(",")[2]))) as image:
        assert image.format.lower() == encoding
        assert image.size == (32, 32)


def test_a_stylegan_is_truncated(pages, client: Client):
    page = pages(client, "styled")
    assert page.json("GET", "model")["truncates"]
    (picture,) = page.go(page.enter(), {"seeds": "4", "class_id": 1, "truncation": 0.5})["pictures"]
    expected = client.generate("styled", seeds=4, classes=1, styles=Style(truncation=0.5))
    assert np.abs(pixels(picture) - expected[0].array).max() <= 1


def test_of_many_positions_the_newest_is_drawn(page: Page, client: Client):
    viewer = page.enter()
    for seed in range(100):
        last = page.json("POST", f"viewers/{viewer}/position", {"seeds": str(seed), "class_id": 1})["sequence"]
    answers = list[dict[str, Any]]()
    while not answers or answers[-1]["sequence"] < last:
        answers.append(page.json("GET", f"viewers/{viewer}/answer"))
    assert len(answers) < 100
    expected = client.generate("digits", seeds=99, classes=1)[0].array
    assert np.abs(pixels(answers[-1]["pictures"][0]) - expected).max() <= 1


def test_a_position_that_cannot_be_drawn_is_refused_in_words_and_the_next_is_drawn(page: Page):
    viewer = page.enter()
    leaning = {"seeds": "7", "class_id": 3, "displacements": [{"direction": "lean_of_ones", "amount": 20}]}
    assert "class 1" in page.go(viewer, leaning)["refusal"]
    assert page.go(viewer, {**leaning, "any_class": True})["pictures"]
    assert page.go(viewer, {**leaning, "class_id": 1})["pictures"]


def test_what_is_seen_is_kept_and_drawn_again_by_the_command_and_by_the_line_of_python(
    page: Page, client: Client, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    position = {
        "seeds": "7,3,4",
        "class_id": 1,
        "any_class": True,
        "displacements": [
            {"direction": "zoom", "amount": 1.25},
            {"direction": "components", "slider": "1", "alpha": -2.5},
            {"direction": "width_of_zeros", "amount": 0.2},
        ],
    }
    kept = np.asarray(Image.open(io.BytesIO(page.ask("POST", "picture", position).read()))).astype(int)
    seen = page.go(viewer := page.enter(), position)["pictures"]
    assert np.abs(kept[:, : 32 * 1] - pixels(seen[0])[:, :, 0]).max() <= 1
    told = page.json("POST", f"viewers/{viewer}/position", position)

    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["--server", address, *shlex.split(told["command"])[1:]])
    assert done.exit_code == 0, done.output
    assert np.abs(np.asarray(Image.open("digits.png")).astype(int) - kept).max() <= 1
    written = eval(told["sdk"], {"client": client, "Displacement": Displacement, "Style": Style})
    assert np.abs(written.array[:, :, 0].astype(int) - kept).max() <= 1


def test_truncation_and_another_server_are_named(client: Client, address: str):
    told = Looking(client, "styled", ["--server", address])
    viewer = told.enter({"encoding": "png"})["viewer"]
    told = told.move(viewer, {"seeds": "4", "class_id": 1, "truncation": 0.5})
    words = f"latentwalk generate styled --server {address} --seeds 4 --classes 1 --truncation 0.5 --out styled.png"
    assert told["command"] == words
    assert told["sdk"] == 'client.generate("styled", seeds=[4], classes=1, styles=Style(truncation=0.5)).strip()'


def test_a_page_of_another_name_that_was_made_to_point_here_is_refused(page: Page):
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::1", ""):
        status, words = page.refused("GET", "model", Host=host)
        assert (status, "is not this machine" in words) == (403, True)
    for host in ("localhost", "127.0.0.1:1", "[::1]:80"):  # as through a tunnel
        reply = page.ask("GET", "model", Host=host)
        assert (reply.status, bool(reply.read())) == (200, True)


def test_who_does_not_know_the_secret_finds_nothing(page: Page):
    assert len(page.url.path) > 16
    for path in ("/", "/model", "/wrong/model", "/wrong/", page.url.path.rstrip("/"), "/../", "/%00/", "x"):
        with closing(HTTPConnection("127.0.0.1", page.url.port, timeout=300)) as connection:
            connection.request("GET", path)
            reply = connection.getresponse()
            assert (reply.status, "nothing is here" in reply.read().decode()) == (404, True)


@pytest.mark.parametrize("request_line", ["GET nothing", "POST model", "GET viewers", "GET look.py", "GET ../web.py"])
def test_there_is_nothing_beside_the_page(page: Page, request_line: str):
    method, path = request_line.split()
    assert page.refused(method, path, b"{}") == (404, f"there is no {method} of this path")


@pytest.mark.parametrize(
    ("position", "words"),
    [
        ([], "must be an object"),
        ({}, "seeds: must be a text"),
        ({"seeds": 7}, "seeds: must be a text"),
        ({"seeds": "seven"}, "'seven' is neither a number nor a range"),
        ({"seeds": f"0-{MOST_PICTURES}"}, f"{MOST_PICTURES + 1} are more than {MOST_PICTURES}"),
        ({"seeds": "99999999999999999999"}, "seeds[0]"),
        ({"seeds": "1", "seed": 1}, "has seed; it can have seeds, "),
        ({"seeds": "1", "class_id": "three"}, "classes: 'three'"),
        ({"seeds": "1", "any_class": "yes"}, "any_class"),
        ({"seeds": "1", "truncation": "much"}, "truncation"),
        ({"seeds": "1", "displacements": {}}, "displacements: must be a list"),
        ({"seeds": "1", "displacements": ["zoom"]}, "displacements: have direction, slider, and alpha or amount"),
        ({"seeds": "1", "displacements": [{"direction": "zoom"}]}, "give either alpha or amount"),
        ({"seeds": "1", "displacements": [{"direction": "zoom", "amount": "far"}]}, "displacements[0].amount"),
        ({"seeds": "1", "displacements": [{"direction": 5, "amount": 1}]}, "displacements[0].direction"),
        ({"seeds": "1", "displacements": [{"direction": "\ud800", "amount": 1}]}, "displacements[0].direction"),
        ({"seeds": "1", "displacements": [{"direction": "zoom", "amount": 10**400}]}, "displacements[0].amount"),
        ({"seeds": "1", "class_id": 10**400}, "classes[0]"),
    ],
)
def test_a_position_that_is_none_is_refused_with_the_field_at_fault(page: Page, position: Any, words: str):
    viewer = page.enter()
    status, told = page.refused("POST", f"viewers/{viewer}/position", position)
    assert (status, words in told) == (400, True), told
    status, told = page.refused("POST", "picture", position)
    assert (status, words in told) == (400, True), told
    assert page.go(viewer, ZOOMED)["pictures"]


@pytest.mark.parametrize("encoding", [{"encoding": "raw"}, {"encoding": ["png"]}, {}, []])
def test_pictures_that_no_browser_shows_are_refused(page: Page, encoding: Any):
    status, words = page.refused("POST", "viewers", encoding)
    assert (status, "is none of png, jpeg, webp" in words) == (400, True)


@pytest.mark.parametrize(
    ("body", "headers", "status", "words"),
    [
        (b"{", {}, 400, "the body is not JSON"),
        (b"\xff", {}, 400, "the body is not JSON"),
        (b"[" * 100_000, {}, 400, "the body is not JSON"),
        (b" " * (MOST_BYTES + 1), {}, 413, f"the most is {MOST_BYTES:,}"),
        (b"{}", {"Content-Length": "9" * 5000}, 413, f"the most is {MOST_BYTES:,}"),
        (b"{}", {"Content-Length": "-1"}, 411, "does not say how long"),
        (b"{}", {"Transfer-Encoding": "chunked"}, 411, "does not say how long"),
    ],
)
def test_a_bad_body_is_refused_and_its_connection_closed(page: Page, body, headers, status, words):
    told_status, told = page.refused("POST", "viewers", body, **headers)
    assert (told_status, words in told) == (status, True), told
    assert page.json("GET", "model")["name"] == "digits"  # over another connection


def test_one_viewer_too_many_ends_the_one_that_was_idle_the_longest(page: Page):
    first, second, *others = [page.enter() for _ in range(MOST_VIEWERS)]
    assert page.go(first, ZOOMED)["pictures"]
    newest = page.enter()
    assert page.refused("POST", f"viewers/{second}/position", ZOOMED)[0] == 410
    assert page.refused("GET", f"viewers/{second}/answer")[0] == 410
    for viewer in (first, *others, newest):
        assert page.go(viewer, ZOOMED)["pictures"]


def test_a_page_that_waits_is_told_when_its_stream_ends(page: Page):
    viewer = page.enter()
    told = list[tuple[int, str]]()
    with closing(Page(page.url.geturl())) as waiting:
        thread = threading.Thread(target=lambda: told.append(waiting.refused("GET", f"viewers/{viewer}/answer")))
        thread.start()
        while thread.is_alive():
            page.enter()
        thread.join()
    assert told[0][0] == 410


def test_connections_are_bounded_and_a_seat_that_was_left_is_free_again(page: Page, wait_until):
    place = ("127.0.0.1", page.url.port)
    idle = [socket.create_connection(place) for _ in range(MOST_CONNECTIONS + 1)]
    assert idle[-1].recv(1) == b""
    for one in idle:
        one.close()

    def served() -> bool:
        try:
            return page.json("GET", "model")["name"] == "digits"
        except OSError:
            page.close()
            return False

    wait_until(served)


def test_a_server_that_does_not_answer_is_told_in_words(pages):
    with Client("127.0.0.1:1", retries=0) as nobody:
        page = pages(nobody, "digits")
        status, words = page.refused("GET", "model")
        assert (status, "no server answers at 127.0.0.1:1" in words) == (502, True)
        status, words = page.refused("GET", f"viewers/{page.enter()}/answer")
        assert (status, "no server answers at 127.0.0.1:1" in words) == (502, True)


def test_what_cannot_be_looked_at_is_one_line_and_exit_code_1(address: str, client: Client):
    def told(*arguments: object) -> str:
        done = CliRunner().invoke(app, ["look", "--no-browser", *map(str, arguments)])
        assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
        return done.stderr

    assert "no model 'nothing'" in told("nothing", "--server", address)
    assert told("digits", "--server", "127.0.0.1:1").startswith("error: no server answers at 127.0.0.1:1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"127.0.0.1:{port} cannot be listened on" in told("digits", "--server", address, "--port", port)
    client.unload_model("styled")
    try:
        assert "latentwalk models load styled" in told("styled", "--server", address)
    finally:
        client.load_model("styled")


def test_the_address_is_one_line_and_ctrl_c_ends_it_cleanly(address: str, start_looking: Callable[..., Any]):
    process, url = start_looking("--server", address, "look", "digits", "--no-browser")
    with closing(Page(url)) as page:
        assert page.json("GET", "model")["name"] == "digits"
        assert page.go(page.enter(), ZOOMED)["pictures"]
        process.send_signal(signal.SIGINT)
        said, told = process.communicate()
    assert (process.returncode, said, "Traceback" in told) == (130, "", False)


def test_where_there_is_a_desktop_the_page_is_opened(address: str, start_looking, tmp_path: Path, wait_until):
    opened = tmp_path / "opened"
    desktop = {"DISPLAY": ":0", "BROWSER": f"sh -c 'echo \"$0\" > {opened}' %s"}
    _, url = start_looking("--server", address, "look", "digits", **desktop)
    wait_until(lambda: opened.exists() and opened.read_text() == f"{url}\n")
