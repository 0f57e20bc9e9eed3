"""Settings come from flags, environment, file and defaults, in this order, or are refused by name."""

from dataclasses import dataclass

import pytest

from latentwalk.rpc.settings import (
    HOST_AND_PORT,
    SettingsError,
    at_least,
    between,
    each,
    load_settings,
    one_of,
    or_nothing,
    setting,
)
from latentwalk.rpc.version import own_version


@dataclass(frozen=True)
class Settings:
    """A service."""

    address: str = setting("127.0.0.1:1", "where", HOST_AND_PORT)
    metrics_address: str = setting("", "where too", or_nothing(HOST_AND_PORT))
    max_batch: int = setting(32, "how many", between(1, 64))
    grace: float = setting(1.5, "how long, 100% sure", at_least(0))
    is_loud: bool = setting(False, "whether")
    models: tuple[str, ...] = setting((), "which")
    peers: tuple[str, ...] = setting((), "who else", each(HOST_AND_PORT))
    level: str = setting("info", "how much", one_of("info", "debug"))


def load(*argv, environ=None):
    return load_settings(Settings, argv, environ or {}, program="service")


def test_defaults_are_used_when_nothing_is_said():
    assert load() == Settings()


@pytest.mark.parametrize(
    ("argv", "environ", "content", "expected"),
    [
        (["--max-batch", "4"], {"LATENTWALK_MAX_BATCH": "5"}, "max_batch = 6", 4),
        ([], {"LATENTWALK_MAX_BATCH": "5"}, "max_batch = 6", 5),
        ([], {}, "max_batch = 6", 6),
        ([], {}, "", 32),
    ],
)
def test_a_flag_beats_the_environment_beats_the_file_beats_the_default(tmp_path, argv, environ, content, expected):
    file = tmp_path / "settings.toml"
    file.write_text(content)
    assert load("--config", str(file), *argv, environ=environ).max_batch == expected


def test_the_file_may_be_named_in_the_environment(tmp_path):
    file = tmp_path / "settings.toml"
    file.write_text('models = ["a", "b"]\nis_loud = true\ngrace = 2\n')
    settings = load(environ={"LATENTWALK_CONFIG": str(file)})
    assert (settings.models, settings.is_loud, settings.grace) == (("a", "b"), True, 2.0)


def test_every_type_is_read_from_text():
    environ = {"LATENTWALK_MODELS": "a, b,", "LATENTWALK_IS_LOUD": "Yes", "LATENTWALK_GRACE": "0.25"}
    settings = load("--address", "[::1]:0", environ=environ)
    assert settings == Settings(address="[::1]:0", models=("a", "b"), is_loud=True, grace=0.25)
    assert load("--no-is-loud", environ=environ).is_loud is False


@pytest.mark.parametrize(
    ("argv", "environ", "message"),
    [
        (["--max-batch", "0"], {}, "flag: max_batch = '0': must be from 1 to 64"),
        (["--max-batch", "many"], {}, "flag: max_batch = 'many': must be a whole number"),
        ([], {"LATENTWALK_GRACE": "-1"}, "environment: grace = '-1': must be at least 0"),
        ([], {"LATENTWALK_GRACE": "nan"}, "environment: grace = 'nan': must be at least 0"),
        ([], {"LATENTWALK_IS_LOUD": "perhaps"}, "environment: is_loud = 'perhaps': must be true or false"),
        (["--level", "shout"], {}, "flag: level = 'shout': must be one of info, debug"),
        (["--address", "here"], {}, "flag: address = 'here': must be host:port"),
        (["--address", "h:70000"], {}, "flag: address = 'h:70000': must be host:port"),
        (["--metrics-address", "h"], {}, "flag: metrics_address = 'h': must be host:port"),
        (["--address", "h:1:2"], {}, "flag: address = 'h:1:2': must be host:port"),
        ([], {"LATENTWALK_GRACE": "inf"}, "environment: grace = 'inf': must be a finite number"),
        (["--peers", "a:1,b"], {}, "flag: peers = 'a:1,b': must be words, each host:port"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_its_source_its_key_and_the_limit(argv, environ, message):
    with pytest.raises(SettingsError) as caught:
        load(*argv, environ=environ)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("max_bach = 3", "unknown key 'max_bach'; known are address"),
        ("max_batch = 3.5", "max_batch = 3.5: must be a whole number"),
        ("max_batch = true", "max_batch = True: must be a whole number"),
        ("level = 3", "level = 3: must be text"),
        ("models = [1]", "models = [1]: must be words"),
        ("is_loud = 1", "is_loud = 1: must be true or false"),
        ("max_batch = ", "Invalid value"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name(tmp_path, content, message):
    file = tmp_path / "settings.toml"
    file.write_text(content)
    with pytest.raises(SettingsError) as caught:
        load("--config", str(file))
    assert str(file) in str(caught.value)
    assert message in str(caught.value)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(SettingsError, match="No such file"):
        load("--config", str(tmp_path / "nowhere.toml"))


def test_help_states_every_setting_with_its_default_and_limit(capsys):
    with pytest.raises(SystemExit) as ended:
        load("--help")
    assert ended.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "--max-batch VALUE how many (default: 32; from 1 to 64)" in text
    assert "how long, 100% sure (default: 1.5; at least 0)" in text
    assert "which (default: none)" in text


def test_the_version_is_told_before_any_setting_is_read(capsys):
    with pytest.raises(SystemExit) as ended:
        load("--version")
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"latentwalk {own_version()}\n"
