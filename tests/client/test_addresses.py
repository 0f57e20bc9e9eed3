"""Which port is asked when the address names none."""

import pytest

from latentwalk.client import AsyncClient, Client


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "[::1]"),
        ("::1", "[::1]"),
        ("fe80::1%eth0", "[fe80::1%eth0]"),
        ("dns:server", "dns:server"),
        ("dns:///server.latentwalk", "dns:///server.latentwalk"),
        ("dns://8.8.8.8/server", "dns://8.8.8.8/server"),
    ],
)
@pytest.mark.parametrize("kind", [Client, AsyncClient])
async def test_without_a_port_each_service_is_asked_on_its_default(kind, given, host):
    options = kind(given, trainer_address=given).connection.options
    assert options.address_of("server") == f"{host}:50051"
    assert options.address_of("trainer") == f"{host}:50052"


@pytest.mark.parametrize(
    "address",
    [
        "localhost:1",
        "[::1]:1",
        "dns:///server:1",
        "dns:server:1",
        "unix:/run/s.sock",
        "unix:s.sock",
        "ipv4:127.0.0.1:1,127.0.0.2:1",
    ],
)
def test_whoever_names_a_port_or_needs_none_is_taken_at_his_word(address):
    options = Client(address, trainer_address=address).connection.options
    assert [options.address_of("server"), options.address_of("trainer")] == [address, address]
