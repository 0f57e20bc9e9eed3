"""The commands against real services: what people see, what scripts get, and what goes wrong."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from latentwalk.cli.commands import app
from latentwalk.cli.demo.processes import free_address
from latentwalk.cli.output import show_time


@pytest.fixture(scope="module")
def trained_zoom(services) -> str:
    """A direction `zoom`, trained on the command line."""
    small = ["--steps", "4", "--batch-size", "4"]
    done = CliRunner().invoke(app, [*services.flags, "train", "edit", "faces", "zoom", "--edit", "zoom:0.5:2", *small])
    assert done.exit_code == 0, done.output
    assert "published direction zoom version 1; the server has loaded it" in done.stdout
    assert "doing nothing" in done.stdout
    return "zoom"


@pytest.fixture
def zoom(latentwalk, trained_zoom: str) -> str:
    """The same, loaded, whatever the tests before have left."""
    assert latentwalk("directions", "load", "faces", trained_zoom).exit_code == 0
    return trained_zoom


def test_models_are_listed_for_people_and_for_scripts(latentwalk):
    table = latentwalk("models", "list")
    assert table.exit_code == 0
    assert table.stdout.split() >= ["name", "version", "state"]
    assert "64x64x3" in table.stdout
    (model,) = json.loads(latentwalk("models", "list", "--json").stdout)
    assert (model["name"], model["state"], model["width"]) == ("faces", "ready", 64)


def test_a_model_is_shown_with_what_it_draws_from_what_and_its_directions(address):
    def show(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["--server", address, "models", "show", *arguments])
        assert done.exit_code == 0, done.stderr
        return done.stdout

    told = {line.split()[0]: " ".join(line.split()[1:]) for line in show("digits").splitlines()}
    assert (told["pictures"], told["classes"], told["latents"]) == ("32x32x1", "10, 0 to 9", "z of 100")
    assert told["digest"] == json.loads(show("digits", "--json"))["digest"]
    assert {"rotate", "zoom"} <= set(told["directions"].split(", "))
    styled = show("styled")
    assert "w+ of" in styled
    assert "directions" not in styled


def test_models_are_unloaded_and_loaded(latentwalk):
    assert latentwalk("models", "unload", "faces").stdout == "faces is no longer loaded\n"
    assert json.loads(latentwalk("models", "list", "--json").stdout)[0]["state"] == "available"
    assert latentwalk("models", "load", "faces", "--version", "1").stdout == "faces version 1 serves\n"
    assert json.loads(latentwalk("models", "unload", "faces", "--json").stdout) == {"unloaded": "faces"}
    assert json.loads(latentwalk("models", "load", "faces", "--json").stdout)["model"]["state"] == "ready"


def test_directions_are_listed_unloaded_and_loaded(latentwalk, zoom):
    assert latentwalk("directions", "load", "faces", zoom).stdout == "faces/zoom version 1 can be walked\n"
    table = latentwalk("directions", "list", "faces").stdout
    assert "zoom (" in table
    assert "linear" in table
    assert latentwalk("directions", "unload", "faces", zoom).stdout == "faces/zoom is no longer loaded\n"
    listed = json.loads(latentwalk("directions", "list", "--json").stdout)
    assert {one["name"]: one["state"] for one in listed}["zoom"] == "available"
    loaded = json.loads(latentwalk("directions", "load", "faces", zoom, "--json").stdout)
    assert loaded["sliders"][0]["unit"] == "x"
    unloaded = latentwalk("directions", "unload", "faces", zoom, "--json").stdout
    assert json.loads(unloaded) == {"unloaded": "faces/zoom"}
    assert latentwalk("directions", "load", "faces", zoom).exit_code == 0


def test_a_direction_is_shown_with_every_slider_and_what_was_measured(address):
    def show(*arguments: str) -> str:
        done = CliRunner().invoke(app, ["--server", address, "directions", "show", "digits", *arguments])
        assert done.exit_code == 0, done.stderr
        return done.stdout

    name, form, origin, columns, *sliders = show("found").splitlines()
    told = json.loads(show("found", "--json"))
    assert name == "digits/found version 1 ready"
    assert form == f"linear, for generator {told['generator_digest']}"
    published = show_time(datetime.fromisoformat(told["provenance"]["create_time"]))
    assert origin.startswith(f"found by discovery, job {told['provenance']['job']}, published {published}, ")
    assert f"reconstruction_accuracy {told['provenance']['measures']['reconstruction_accuracy']:.4g}" in origin
    assert columns.split() == ["slider", "class", "unit", "trained", "limit", "accuracy"]
    assert [(line.split()[0], line.split()[-1]) for line in sliders] == [
        (one["name"], f"{one['measures']['accuracy']:.4g}") for one in told["sliders"]
    ]
    *_, columns, rotate = show("rotate").splitlines()
    assert columns.split() == ["slider", "class", "unit", "trained", "limit", "baseline", "error", "gain"]
    assert rotate.split()[1] == "deg"
    assert rotate.split()[-3:] == ["0.1941", "0.1287", "0.3373"]


def test_of_a_direction_that_is_not_loaded_it_is_shown_that_it_is_not(latentwalk, zoom):
    assert latentwalk("directions", "unload", "faces", zoom).exit_code == 0
    shown = latentwalk("directions", "show", "faces", zoom)
    assert shown.stdout == "faces/zoom version 1 available\nmore is known of what is loaded\n"
    missing = latentwalk("directions", "show", "faces", "none")
    assert (missing.exit_code, "none" in missing.stderr) == (1, True)


def test_generate_writes_a_grid(latentwalk, zoom, tmp_path):
    path = tmp_path / "faces.png"
    done = latentwalk("generate", "faces", "--seeds", "1,5-7", "--columns", 2, "--out", path)
    assert (done.exit_code, done.stdout) == (0, f"{path}: 4 pictures\n")
    with Image.open(path) as image:
        assert image.size == (2 * 64 + 2, 2 * 64 + 2)
    still = path.read_bytes()
    pushed = latentwalk(
        *("generate", "faces", "--seeds", "1,5-7", "--columns", 2, "--out", path, "--json"),
        *("--amount", "zoom=1.5", "--alpha", "zoom=0.1"),
    )
    assert json.loads(pushed.stdout)["pictures"] == 4
    assert path.read_bytes() != still


def test_generate_draws_strict_pictures_in_any_company(latentwalk, tmp_path):
    alone, among = tmp_path / "alone.png", tmp_path / "among.png"
    for path, seeds in ((alone, "6"), (among, "5-7")):
        options = ["--seeds", seeds, "--columns", 3, "--strict", "--priority", "low", "--out", path]
        done = latentwalk("generate", "faces", *options)
        assert done.exit_code == 0, done.stderr
    with Image.open(alone) as picture, Image.open(among) as row:
        assert row.crop((66, 0, 66 + 64, 64)).tobytes() == picture.tobytes()


def test_walk_writes_what_moves_and_what_stands_still(latentwalk, zoom, tmp_path):
    gif, strip = tmp_path / "zoom.gif", tmp_path / "zoom.png"
    ends = ["--amount", f"{zoom}=0.5:2"]
    done = latentwalk("walk", "faces", *ends, "--seeds", "1-3", "--frames", 5, "--loop", "--out", gif, "--fps", 20)
    assert (done.exit_code, done.stdout) == (0, f"{gif}: 8 frames of 3 pictures\n")
    with Image.open(gif) as image:
        assert (image.n_frames, image.info["duration"]) == (8, 50)
    video = latentwalk("walk", "faces", *ends, "--frames", 4, "--out", tmp_path / "zoom.mp4")
    assert (video.exit_code, video.stdout) == (0, f"{tmp_path / 'zoom.mp4'}: 4 frames of 1 picture\n")
    options = ["--alpha", f"{zoom}=-1:1", "--easing", "in_out", "--frames", 3, "--out", strip, "--json"]
    assert json.loads(latentwalk("walk", "faces", *options).stdout)["frames"] == 3
    with Image.open(strip) as image:
        assert image.size == (3 * 64 + 2 * 2, 64)


def test_a_walk_goes_on_from_a_frame_and_is_drawn_as_it_is_asked_for(latentwalk, zoom, tmp_path):
    whole, rest = tmp_path / "whole.png", tmp_path / "rest.png"
    options = ["--frames", 5, "--strict", "--priority", "low"]
    latentwalk("walk", "faces", zoom, *options, "--out", whole)
    done = latentwalk("walk", "faces", zoom, *options, "--from-frame", 3, "--out", rest)
    assert (done.exit_code, done.stdout) == (0, f"{rest}: 2 frames of 1 picture\n")
    with Image.open(whole) as all_of_it, Image.open(rest) as end:
        assert all_of_it.crop((3 * 66, 0, 5 * 66 - 2, 64)).tobytes() == end.tobytes()
    refused = latentwalk("walk", "faces", zoom, *options, "--from-frame", 5, "--out", rest)
    assert (refused.exit_code, refused.stderr.endswith("(--from-frame)\n")) == (1, True)


def test_interpolate_writes_a_journey(latentwalk, tmp_path):
    path = tmp_path / "travel.webp"
    done = latentwalk("interpolate", "faces", "--seeds", "1-3", "--frames-per-leg", 4, "--loop", "--out", path)
    assert (done.exit_code, done.stdout) == (0, f"{path}: 12 frames of 1 picture\n")
    with Image.open(path) as image:
        assert image.n_frames == 12


def test_directions_are_compared_in_a_table_and_a_contact_sheet(latentwalk, tmp_path):
    made = latentwalk("train", "sefa", "faces", "axes", "--directions", 2)
    assert made.exit_code == 0, made.stderr
    path = tmp_path / "sheet.png"
    done = latentwalk("directions", "compare", "faces", "axes", "--seeds", "1-3", "--frames", 5, "--out", path)
    assert done.exit_code == 0, done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()[1:]] == [["axes", "0"], ["axes", "1"]]
    with Image.open(path) as sheet:
        assert sheet.height == 16 + 6 * 66 - 2
        assert sheet.width > 5 * 66 - 2
    told = json.loads(latentwalk("directions", "compare", "faces", "axes:1", "--seeds", "1-3", "--json").stdout)
    assert [(one["direction"], one["slider"]) for one in told] == [("axes", "1")]


def test_a_job_is_followed_from_its_making_to_its_end(latentwalk, tmp_path):
    edit = ["train", "edit", "faces", "glow", "--edit", "brightness", "--batch-size", 4, "--detach"]
    job = latentwalk(*edit, "--steps", 1_000_000).stdout.strip()
    columns, newest, *_ = latentwalk("jobs", "list").stdout.splitlines()
    assert newest.startswith(job)
    assert "edit_direction faces/glow, " in newest
    assert columns.index("job") <= 80 - 24  # where the last column begins, with room for some words of it
    assert json.loads(latentwalk("jobs", "list", "--json").stdout)[0]["id"] == job
    assert latentwalk("jobs", "cancel", job).stdout == f"{job}: cancelled\n"
    watched = latentwalk("jobs", "watch", job)
    assert (watched.exit_code, f"error: job {job} cancelled" in watched.stderr) == (1, True)
    assert latentwalk("jobs", "resume", job).stdout == f"{job}: queued\n"
    assert latentwalk("jobs", "delete", job).exit_code == 1
    assert json.loads(latentwalk("jobs", "cancel", job, "--json").stdout)["state"] == "cancelled"
    assert "brightness" in latentwalk("jobs", "show", job).stdout
    assert json.loads(latentwalk("jobs", "show", job, "--json").stdout)["state"] == "cancelled"
    assert latentwalk("jobs", "delete", job).stdout == f"{job}: deleted\n"
    assert json.loads(latentwalk("jobs", "list", "--state", "cancelled", "--json").stdout) == []

    made = json.loads(latentwalk(*edit, "--steps", 3, "--json").stdout)
    lines = latentwalk("jobs", "watch", made["id"], "--json").stdout.splitlines()
    assert [json.loads(line)["sequence"] for line in lines] == list(range(1, len(lines) + 1))
    assert json.loads(lines[-1])["JobStateChange"]["state"] == "succeeded"
    latentwalk("jobs", "watch", made["id"], "--samples", tmp_path)
    with Image.open(tmp_path / "step-000000003.png") as sheet:
        assert sheet.height == 14 + 64 + 2
        assert sheet.width > 7 * (64 + 2)
    shown = latentwalk("jobs", "show", made["id"]).stdout
    assert "published direction glow" in shown
    assert "device cpu" in " ".join(shown.split())


def test_an_edit_of_ones_own_is_read_from_a_file(latentwalk, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    edit = {"name": "shear", "kind": "affine", "matrix": [[0, 0.5, 0], [0, 0, 0]], "unit": "[widths]"}
    Path("shear.json").write_text(json.dumps(edit))
    words = ["--edit", "shear.json:-1:1", "--edit", "zoom", "--steps", 2, "--batch-size", 4, "--evaluation-size", 8]
    made = json.loads(
        latentwalk("train", "edit", "faces", "own", *words, "--threshold", 2, "--detach", "--json").stdout
    )
    assert latentwalk("jobs", "watch", made["id"]).exit_code == 0
    settings = json.loads(latentwalk("jobs", "show", made["id"], "--json").stdout)["spec"]["settings"]
    assert (settings["truncation"], settings["evaluation_size"]) == ({"threshold": 2.0}, 8)
    shown = [" ".join(line.split()) for line in latentwalk("jobs", "show", made["id"]).stdout.splitlines()]
    assert {"form linear", "edits[0].custom.affine.entries 0.0, 0.5, 0.0, 0.0, 0.0, 0.0"} <= set(shown)
    assert {"edits[0].amount_low -1.0", "edits[1].edit zoom"} <= set(shown)
    assert "[widths]" in latentwalk("directions", "list", "faces").stdout
    walk = ["walk", "faces", "--amount", "own:shear=-1:1", "--frames", 3, "--out", "walk.gif"]
    assert latentwalk(*walk).exit_code == 0


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (None, "shear.json cannot be read: No such file or directory"),
        ("{", "shear.json is no edit; it must be like"),
        ("[1]", "shear.json is no edit; it must be like"),
        ('{"name": 5, "kind": "affine", "matrix": []}', "name: 5 must be text"),
        ('{"name": "shear"}', "missing 2 required positional arguments"),
        ('{"name": "shear", "kind": "bent", "matrix": []}', "kind: 'bent' is none of affine, homography, colour"),
        ('{"name": "shear", "kind": "affine", "matrix": ["x"]}', "matrix: "),
    ],
)
def test_a_file_that_is_no_edit_is_refused(latentwalk, monkeypatch, tmp_path, written: str | None, told: str):
    monkeypatch.chdir(tmp_path)
    if written is not None:
        Path("shear.json").write_text(written)
    done = latentwalk("train", "edit", "faces", "own", "--edit", "shear.json:-1:1")
    assert done.exit_code != 0
    assert told in " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["generate", "nope", "--out", "x.png"], "no model 'nope'; there are: faces"),
        (["generate", "faces", "--out", "x.bmp"], "'x.bmp' ends with '.bmp'"),
        (["generate", "faces", "--seeds", "18446744073709551616", "--out", "x.png"], "seeds[0]: 18446744073709551616"),
        (["generate", "faces", "--classes", "1", "--out", "x.png"], "no classes; leave it out (--classes)"),
        (["generate", "faces", "--seeds", "0-64", "--out", "x.png"], "latents: 65 must be from 1 to 64 (--seeds)"),
        (["generate", "faces", "--out", "no/such/folder/x.png"], "error: No such file or directory: 'no/such"),
        (["walk", "faces", "nope", "--out", "x.gif"], "no direction 'nope'"),
        (["interpolate", "faces", "--seeds", "1", "--out", "x.gif"], "1 must be from 2 to 1,024 (--seeds)"),
        (["jobs", "show", "nope"], "no job 'nope'"),
        (["jobs", "watch", "nope"], "no job 'nope'"),
        (["jobs", "watch", "nope", "--samples", "/dev/null"], "File exists: '/dev/null'"),
        (["train", "edit", "faces", "x", "--edit", "warp"], "warp"),
        (["models", "load", "faces", "--version", "99"], "no version 99 of model 'faces'; there are: 1"),
    ],
)
def test_a_failure_is_a_line_on_stderr_and_exit_code_1(latentwalk, monkeypatch, tmp_path, arguments, told: str):
    monkeypatch.chdir(tmp_path)
    done = latentwalk(*arguments)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "command",
    [
        ["generate", "faces"],
        ["walk", "faces", "zoom"],
        ["interpolate", "faces"],
        ["directions", "figure", "faces", "zoom"],
        ["directions", "compare", "faces", "zoom"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize(
    ("out", "told"),
    [
        ("x.bmp", "'x.bmp' ends with '.bmp', must be one of .png"),
        ("no/such/folder/x.png", "No such file or directory: 'no/such/folder/x.png'"),
        ("file/x.png", "Not a directory: 'file/x.png'"),
    ],
)
def test_a_file_that_cannot_be_written_is_told_of_before_anybody_is_asked(
    monkeypatch, tmp_path, command, out: str, told: str
):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    done = CliRunner().invoke(app, ["--server", free_address(), *command, "--out", out])
    assert (done.exit_code, done.stdout) == (1, "")
    assert told in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["generate", "faces"],
        ["generate", "faces", "--seeds", "x", "--out", "x.png"],
        ["generate", "faces", "--seeds", "5-1", "--out", "x.png"],
        ["generate", "faces", "--seeds", "0-99999999", "--out", "x.png"],
        ["generate", "faces", "--classes", "x", "--out", "x.png"],
        ["generate", "faces", "--amount", "zoom", "--out", "x.png"],
        ["walk", "faces", "zoom", "--frames", "0", "--out", "x.gif"],
        ["walk", "faces", "zoom", "--easing", "bouncy", "--out", "x.gif"],
        ["train", "edit", "faces", "x"],
        ["train", "edit", "faces", "x", "--edit", "zoom:1"],
        ["jobs", "list", "--limit", "0"],
        ["jobs", "list", "--state", "odd"],
        ["jobs", "list", "--state", "unknown"],
    ],
)
def test_a_usage_error_is_exit_code_2(latentwalk, arguments):
    done = latentwalk(*arguments)
    assert done.exit_code == 2
    assert "Usage" in done.stderr


def test_the_services_are_also_named_by_the_environment(services):
    environment = {"LATENTWALK_SERVER": services.server, "LATENTWALK_TRAINER": services.trainer}
    assert CliRunner().invoke(app, ["models", "list"], env=environment).exit_code == 0
    assert CliRunner().invoke(app, ["jobs", "list"], env=environment).exit_code == 0


def test_nobody_at_the_address_is_told(tmp_path):
    done = CliRunner().invoke(app, ["--server", "127.0.0.1:1", "models", "list"])
    assert done.exit_code == 1
    assert done.stderr.startswith("error: no server answers at 127.0.0.1:1")


def test_every_command_explains_itself():
    runner = CliRunner()
    commands = ["models", "directions", "generate", "walk", "interpolate", "look", "train", "jobs", "pull", "demo"]
    for command in commands:
        shown = runner.invoke(app, [command, "--help"])
        assert (shown.exit_code, "Usage" in shown.stdout) == (0, True)


def test_a_certificate_to_show_needs_its_key(latentwalk, tmp_path):
    pem = tmp_path / "certificate.pem"
    pem.touch()
    refused = latentwalk("--tls-certificate", str(pem), "models", "list")
    assert refused.exit_code == 2
    assert "give both, or neither" in refused.output


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_address_may_stand_before_the_command_or_anywhere_after_it(services, place):
    words = ["models", "list"]
    done = CliRunner().invoke(app, [*words[:place], "--server", services.server, *words[place:]])
    assert "faces" in done.stdout
    done = CliRunner().invoke(app, [*words[:place], f"--server={services.server}", *words[place:]])
    assert "faces" in done.stdout


def test_an_address_that_is_missing_is_missed():
    done = CliRunner().invoke(app, ["models", "list", "--server"])
    assert done.exit_code == 2
    assert "--server: it needs a value" in done.stderr


@pytest.mark.parametrize("service", ["serve", "trainer"])
def test_a_service_keeps_its_own_flags_also_those_that_the_command_line_has_too(service, start_latentwalk, tmp_path):
    junk = tmp_path / "junk.pem"
    junk.touch()
    places = ("--store", tmp_path / "store", "--address", "127.0.0.1:0", "--metrics-address", "")
    if service == "trainer":
        places = (*places, "--folder", tmp_path / "jobs", "--database", f"sqlite:///{tmp_path}/jobs.db")
    started = start_latentwalk(service, "--tls-certificate", junk, "--tls-key", junk, *places)
    _, errors = started.communicate(timeout=300)
    assert started.returncode == 1
    assert f"tls_certificate {junk} holds no certificate" in errors
