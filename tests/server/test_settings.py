"""The settings that the server has, and what follows from them."""

import pytest

from latentwalk.rpc.settings import SettingsError, load_settings
from latentwalk.server.settings import Settings


def load(*argv):
    return load_settings(Settings, argv, {}, program="server")


def test_by_default_a_server_listens_on_this_machine_only():
    settings = load()
    assert (settings.address, settings.metrics_address) == ("127.0.0.1:50051", "127.0.0.1:9464")
    assert settings.models == ()


@pytest.mark.parametrize(
    ("picture_bytes", "credit"), [(12_288, 64), (1 << 20, 32), (3 << 20, 10), (48 << 20, 1)], ids=str
)
def test_the_credit_of_a_stream_is_bounded_in_pictures_and_in_bytes(picture_bytes, credit):
    assert load().credit(picture_bytes) == credit


@pytest.mark.parametrize(
    ("flag", "problem"),
    [
        ("--tls-certificate", "give both, or neither"),
        ("--tls-key", "give both, or neither"),
        ("--tls-client-ca", "TLS"),
    ],
)
def test_a_certificate_needs_its_key_and_those_of_clients_need_both(flag, problem):
    with pytest.raises(SettingsError, match=problem):
        load(flag, "file.pem")


@pytest.mark.parametrize(
    "flag", ["--max-batch", "--max-queued-frames", "--stream-credit", "--max-rows", "--max-frames"]
)
def test_limits_are_at_least_one(flag):
    with pytest.raises(SettingsError, match="must be from 1 to"):
        load(flag, "0")
