"""Which port is asked when the address names none, and what is no address at all."""

import pytest

from latentwalk.client import AsyncClient, Client, InvalidRequest


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


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("", "'' is no address"),
        (" ", "' ' is no address"),
        ("gpu 1", "'gpu 1' is no address"),
        (":50051", "':50051' is no address"),
        ("http://gpu-1:50051", "'http://gpu-1:50051' is no address.*without http://"),
        ("gpu-1:50051/", "'gpu-1:50051/' is no address"),
        ("gpu-1:", "'gpu-1:' ends with port ''"),
        ("gpu-1:0", "'gpu-1:0' ends with port '0'"),
        ("gpu-1:99999", "'gpu-1:99999' ends with port '99999', which must be from 1 to 65535"),
        ("dns:///gpus:http", "'dns:///gpus:http' ends with port 'http'"),
    ],
)
def test_what_is_no_address_is_refused_by_name_before_anyone_is_called(address: str, told: str):
    with pytest.raises(InvalidRequest, match=f"^address: {told}"):
        Client(address)
    if address:
        with pytest.raises(InvalidRequest, match=f"^trainer_address: {told}"):
            AsyncClient(trainer_address=address)
