"""Whatever is sent to whichever rpc, the answer is a clean status, and nothing is left behind.

The messages are made by their descriptors, so that an rpc or a field that is new is tried too.
"""

import asyncio
import logging
import socket
import struct
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
import torch
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from latentwalk.gan.artifacts import ArtifactStore, save_direction, save_generator
from latentwalk.gan.directions import LinearDirection, Slider
from latentwalk.gan.families import build_generator
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.server import assembly as server_main
from latentwalk.server.settings import Settings as ServerSettings
from latentwalk.trainer import assembly as trainer_assembly
from latentwalk.trainer.servicer import SERVICE_NAME as TRAINING
from latentwalk.trainer.settings import Settings as TrainerSettings

Z = 6
# UNAVAILABLE, UNKNOWN, INTERNAL and DEADLINE_EXCEEDED are not among them.
CLEAN = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.UNIMPLEMENTED,
}
SECONDS = 120
# Of a stream that would go on; then it is left.
MOST_REPLIES = 3

# -- messages --------------------------------------------------------------------------------------------------------

TEXTS = st.text(max_size=20) | st.sampled_from(["", "1", "FP32", "../faces", "a/b", "\0", "x" * 5000, "🙂" * 300])
# What gets beyond the first check, most of the time.
NAMES = {
    "model": ["faces", "faces", "digits"],
    "model_name": ["faces", "faces", "digits"],
    "direction": ["zoom", "bank"],
    "slider": ["", "left", "zoom"],
    "version": ["", "1"],
    "edit": ["zoom", "brightness"],
}
FLOATS = st.sampled_from([0.0, 1.0, 0.5]) | st.floats(-1, 1) | st.floats()
BYTES = (
    st.binary(max_size=64)
    | st.lists(st.floats(-3, 3, width=32), min_size=Z, max_size=Z).map(lambda z: struct.pack(f"<{Z}f", *z))
    | st.just(struct.pack(f"<{Z}f", *[float("nan")] * Z))
)


def integers(bits, low):
    edges = [0, 1, 2, 3, 7, 16, 64, 10_000, 10_001, 2 ** (bits - 1) - 1]
    return st.integers(1, 3) | st.sampled_from(edges) | st.integers(low, 2**bits - 1 if low == 0 else -low - 1)


SCALARS = {
    FieldDescriptor.CPPTYPE_STRING: TEXTS,
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_DOUBLE: FLOATS,
    FieldDescriptor.CPPTYPE_FLOAT: FLOATS,
    FieldDescriptor.CPPTYPE_INT32: integers(32, -(2**31)),
    FieldDescriptor.CPPTYPE_INT64: integers(64, -(2**63)),
    FieldDescriptor.CPPTYPE_UINT32: integers(32, 0),
    FieldDescriptor.CPPTYPE_UINT64: integers(64, 0),
    # An enum is open: it may have any value.
    FieldDescriptor.CPPTYPE_ENUM: st.integers(0, 3) | st.integers(0, 3) | integers(32, -(2**31)),
}
DEEPEST = 6


ZOOM = {"direction": "zoom", "from": {"alpha": -1.0}, "to": {"amount": 2.0}}
SEED = {"contents": {"uint64_contents": [1]}}
FACES = {"model": "faces"}
BLACK = {"width": 16, "height": 16, "channels": 3, "data": bytes(16 * 16 * 3)}
PULLED = {"latents": [{"seed": 1}], "displacements": [{"direction": "zoom", "extent": {"alpha": 0.5}}]}
# Requests that are right, for rpcs that chance alone would hardly ever ask rightly; several for a stream of requests.
RIGHT = {
    "Generate": [FACES | PULLED],
    "Walk": [FACES | {"starts": [{"seed": 1}], "legs": [{"stretches": [ZOOM], "frames": 3}]}],
    "Interpolate": [FACES | {"keyframes": [{"seed": 1}, {"seed": 2}], "frames_per_leg": 2}],
    "Invert": [FACES | {"picture": BLACK, "starts": [{"seed": 1}], "steps": 3}],
    "ModelInfer": [{"model_name": "faces", "inputs": [{"name": "seed", "datatype": "UINT64", "shape": [1], **SEED}]}],
    "Steer": [{"setup": FACES}, *({"sequence": number, "position": PULLED} for number in (1, 2, 3))],
}


def requests_of(draw, method):
    """Requests of fields by chance, or right ones of which a few fields are set by chance."""
    kind = GetMessageClass(method.input_type)
    right = RIGHT.get(method.name)
    if right is None or not draw(st.integers(0, 2)):
        count = draw(st.integers(0, 4)) if method.client_streaming else 1
        return [fill(draw, kind()) for _ in range(count)]
    requests = [kind(**values) for values in right]
    for _ in range(draw(st.integers(0, 2))):
        spoil(draw, draw(st.sampled_from(requests)))
    return requests


def spoil(draw, message):
    """Sets one field, somewhere in the message."""
    inner = []
    for field, value in message.ListFields():
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            inner += value if field.is_repeated else [value]
    if inner and draw(st.booleans()):
        spoil(draw, draw(st.sampled_from(inner)))
    elif message.DESCRIPTOR.fields:
        fill_field(draw, message, draw(st.sampled_from(list(message.DESCRIPTOR.fields))), depth=DEEPEST - 2)


def fill(draw, message, depth=0):
    """Sets some fields of a message, of each oneof at most one."""
    for field in message.DESCRIPTOR.fields:
        if draw(st.integers(0, 4)) and (depth < DEEPEST or field.message_type is None):
            fill_field(draw, message, field, depth)
    return message


def fill_field(draw, message, field, depth):
    if field.is_repeated:
        for _ in range(draw(st.sampled_from([1, 1, 2, 3, 70] if field.message_type is None else [1, 1, 2, 3]))):
            add_item(draw, message, field, depth)
    elif field.message_type is not None:
        getattr(message, field.name).SetInParent()
        fill(draw, getattr(message, field.name), depth + 1)
    else:
        setattr(message, field.name, scalar(draw, field))


def add_item(draw, message, field, depth):
    items = getattr(message, field.name)
    if field.message_type is None:
        items.append(scalar(draw, field))
    elif field.message_type.GetOptions().map_entry:
        add_entry(draw, items, field.message_type.fields_by_name, depth)
    else:
        fill(draw, items.add(), depth + 1)


def add_entry(draw, items, fields, depth):
    key = scalar(draw, fields["key"])
    if fields["value"].message_type is None:
        items[key] = scalar(draw, fields["value"])
    else:
        fill(draw, items[key], depth + 1)


def scalar(draw, field):
    if field.type == FieldDescriptor.TYPE_BYTES:
        return draw(BYTES)
    if field.name in NAMES and draw(st.integers(0, 9)):
        return draw(st.sampled_from(NAMES[field.name]))
    return draw(SCALARS[field.cpp_type])


# -- services --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Peer:
    """A service that runs in this process, and a channel to it."""

    port: int
    metrics_port: int
    channel: grpc.Channel
    methods: tuple[MethodDescriptor, ...]

    def send(self, method, requests):
        """Sends serialized requests; the status with which the call ends, or OK if it is left after some replies."""
        path = f"/{method.containing_service.full_name}/{method.name}"
        kind = ("stream" if method.client_streaming else "unary", "stream" if method.server_streaming else "unary")
        rpc = getattr(self.channel, "_".join(kind))(path, request_serializer=None, response_deserializer=None)
        given = iter(requests) if method.client_streaming else requests[0]
        try:
            if not method.server_streaming:
                rpc(given, timeout=SECONDS)
                return grpc.StatusCode.OK
            replies = rpc(given, timeout=SECONDS)
            for count, _ in enumerate(replies, start=1):
                if count == MOST_REPLIES:
                    break
            replies.cancel()
        except grpc.RpcError as error:
            return error.code()
        return grpc.StatusCode.OK

    def restore(self):
        """Loads again what an attack may have unloaded."""
        methods = {method.name: method for method in self.methods}
        for model in ("faces", "digits"):
            requests = [("LoadModel", {"model": model})]
            requests += [("LoadDirection", {"model": model, "direction": one}) for one in ("zoom", "bank")]
            for name, values in requests:
                request = GetMessageClass(methods[name].input_type)(**values)
                assert self.send(methods[name], [request.SerializeToString()]) is grpc.StatusCode.OK

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics") as reply:
            families = text_string_to_metric_families(reply.read().decode())
        return sum(sample.value for family in families for sample in family.samples if sample.name == name)


@contextmanager
def running(serving, service_names) -> Iterator[Peer]:
    """A service on an event loop in a thread of its own."""
    started, leave, doorways = threading.Event(), asyncio.Event(), []
    loop = asyncio.new_event_loop()

    async def serve():
        async with serving as doorway:
            doorways.append(doorway)
            started.set()
            await leave.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(300)
    pool = descriptor_pool.Default()
    methods = tuple(method for name in service_names for method in pool.FindServiceByName(name).methods)
    try:
        with grpc.insecure_channel(f"127.0.0.1:{doorways[0].port}", [("grpc.max_metadata_size", 1 << 20)]) as channel:
            yield Peer(doorways[0].port, doorways[0].metrics_port, channel, methods)
    finally:
        loop.call_soon_threadsafe(leave.set)
        thread.join()
        loop.close()


def make_store(path: Path) -> str:
    """A store with "faces", its directions "zoom" and "bank" (two sliders), and "digits" with three classes."""
    store = ArtifactStore(str(path))
    torch.manual_seed(0)
    for name, classes in (("faces", 0), ("digits", 3)):
        generator = build_generator(GeneratorSpec("dcgan", Z, classes, 16, 3, {"width": 2})).freeze()
        save_generator(store, name, generator, provenance={}, created="")
        zoom = Slider("zoom", "zoom", "x", 1.3, (-1.0, 1.0), (-1.0, 1.0))
        sides = tuple(Slider(side, "", "", 1.0, (-2.0, 2.0), (-3.0, 3.0)) for side in ("left", "right"))
        for direction, sliders in (("zoom", (zoom,)), ("bank", sides)):
            vectors = torch.randn(len(sliders), Z)
            found = LinearDirection(direction, generator.digest, sliders, vectors)
            save_direction(store, name, found, provenance={}, created="")
    return str(path)


@pytest.fixture(scope="module")
def peers(tmp_path_factory) -> Iterator[list[Peer]]:
    """A server and a trainer."""
    folder = tmp_path_factory.mktemp("hostile")
    common = {
        "address": "127.0.0.1:0",
        "metrics_address": "127.0.0.1:0",
        "store": make_store(folder / "store"),
        "grace_seconds": 2.0,
    }
    files = {"folder": str(folder / "jobs"), "database": f"sqlite:///{folder}/trainer.db"}
    server = server_main.serving(ServerSettings(**common, torch_threads=1))
    trainer = trainer_assembly.serving(TrainerSettings(**common, **files, max_queued_jobs=1))
    with ExitStack() as stack:
        yield [
            stack.enter_context(running(server, server_main.SERVICES)),
            stack.enter_context(running(trainer, [TRAINING])),
        ]


@contextmanager
def unharmed(peers, caplog):
    """Afterwards both services are as before, and neither has met anything that it did not expect."""
    caplog.set_level(logging.WARNING)
    yield
    for peer in peers:
        for _ in range(SECONDS * 20):
            running = peer.metric("grpc_server_started_total") - peer.metric("grpc_server_handled_total")
            left = peer.metric("latentwalk_open_streams"), peer.metric("latentwalk_queue_frames"), running
            if left == (0, 0, 0):
                break
            threading.Event().wait(0.05)
        else:
            raise AssertionError(f"left are streams, waiting pictures and rpcs {left}")
        assert peer.send(next(one for one in peer.methods if one.name.startswith("List")), [b""]) is grpc.StatusCode.OK
    unexpected = [record.getMessage() for record in caplog.records if record.name == "latentwalk.errors"]
    assert not unexpected


def attack(peers, examples, part=0):
    """Sends that many calls of messages made by hand of the descriptors, to rpcs by chance; others for each part."""
    methods = [(peer, method) for peer in peers for method in peer.methods]

    @seed(part)
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def send(data):
        peer, method = data.draw(st.sampled_from(methods))
        messages = requests_of(data.draw, method)
        code = peer.send(method, [message.SerializeToString() for message in messages])
        assert code in CLEAN, (code, method.full_name, messages)
        if code is grpc.StatusCode.OK and method.name.startswith("Unload"):
            peer.restore()

    send()


def attack_with_bytes(peers, examples, part=0):
    """Sends that many calls of bytes that are mostly no messages; others for each part."""
    methods = [(peer, method) for peer in peers for method in peer.methods]

    @seed(part)
    @settings(max_examples=examples, deadline=None, database=None)
    @given(st.sampled_from(methods), st.lists(st.binary(max_size=200), min_size=1, max_size=3))
    def send(target, requests):
        peer, method = target
        code = peer.send(method, requests)
        assert code in CLEAN, (code, method.full_name, requests)

    send()


def test_messages_of_any_content_get_a_clean_answer(peers, caplog):
    with unharmed(peers, caplog):
        attack(peers, 300)


def test_bytes_that_are_no_messages_get_a_clean_answer(peers, caplog):
    with unharmed(peers, caplog):
        attack_with_bytes(peers, 200)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", range(1, 101))
def test_a_hundred_thousand_messages_get_a_clean_answer(peers, caplog, part):
    """In a hundred parts: of what it has sent in one, hypothesis keeps all."""
    with unharmed(peers, caplog):
        attack(peers, 700, part)
        attack_with_bytes(peers, 300, part)


NO_HTTP2 = [
    b"",
    b"\0" * 1000,
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 1000,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0" + b"\0\0\4\1\4\0\0\0\1\xff\xff\xff\xff",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500,
]


@pytest.mark.parametrize("opening", range(len(NO_HTTP2)))
def test_connections_that_speak_no_http2_harm_nobody(peers, caplog, opening):
    with unharmed(peers, caplog):
        for peer in peers:
            for _ in range(5):
                with socket.create_connection(("127.0.0.1", peer.port), timeout=60) as connection:
                    connection.sendall(NO_HTTP2[opening])


@pytest.mark.parametrize("metadata", [(("x-much", "x" * 100_000),), tuple((f"x-{i}", "y" * 50) for i in range(500))])
def test_metadata_without_end_is_refused_and_harms_nobody(peers, caplog, metadata):
    with unharmed(peers, caplog):
        for peer in peers:
            with pytest.raises(grpc.RpcError) as caught:
                peer.channel.unary_unary(f"/{TRAINING}/ListJobs")(b"", timeout=SECONDS, metadata=metadata)
            assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_message_of_many_items_is_answered_soon(peers, caplog):
    """A request that is small on the wire must not be dear to refuse."""
    with unharmed(peers, caplog):
        for peer in peers:
            for method in peer.methods:
                for field in method.input_type.fields:
                    if field.is_repeated and field.message_type is not None:
                        tag = bytes([field.number << 3 | 2, 0])
                        assert peer.send(method, [tag * 1_000_000]) in CLEAN
