"""What bad input gets: the status, the reason, the field, the value and the limit."""

import pytest
from google.protobuf import text_format

from latentwalk.gan.spec import GeneratorSpec
from latentwalk.v1 import generation_service_pb2 as pb

GENERATE, WALK, INTERPOLATE = pb.GenerateRequest, pb.WalkRequest, pb.InterpolateRequest
Z = r'z { dtype: DATA_TYPE_FLOAT32 shape: 6 data: "%s" }'
NAN = r"\000\000\300\177"
START = 'model: "faces" starts { seed: 1 }'
FRAMES = "frames: 3"


def leg(stretch='direction: "zoom" from { alpha: 0 } to { alpha: 1 }', rest=FRAMES):
    return f"legs {{ stretches {{ {stretch} }} {rest} }}"


def walk(*args):
    return f"{START} {leg(*args)}"


def generate(latent, model="faces"):
    return f'model: "{model}" latents {{ seed: 1 }} latents {{ {latent} }}'


def displaced(displacement):
    return f'model: "faces" latents {{ seed: 1 }} displacements {{ {displacement} }}'


def journey(rest):
    return f'model: "faces" keyframes {{ seed: 1 }} keyframes {{ seed: 2 }} {rest}'


INVALID = [
    # latents
    (GENERATE, 'model: "faces"', "latents", "0 must be from 1 to 64"),
    (GENERATE, 'model: "faces"' + " latents { seed: 1 }" * 65, "latents", "65 must be from 1 to 64"),
    (GENERATE, generate(""), "latents[1]", "no code"),
    (GENERATE, generate(Z % (r"\000" * 23)), "latents[1].z.data", "23 bytes"),
    (GENERATE, generate("z { dtype: DATA_TYPE_FLOAT32 shape: 5 }"), "latents[1].z.shape", "[5] must be [6]"),
    (GENERATE, generate("z { dtype: DATA_TYPE_FLOAT32 shape: 1 shape: 6 }"), "latents[1].z.shape", "[1, 6]"),
    (GENERATE, generate("z { shape: 6 }"), "latents[1].z.dtype", "0 is none of"),
    (GENERATE, generate(Z % (NAN + r"\000" * 20)), "latents[1].z.data", "number 0 is nan"),
    (GENERATE, generate("w { shape: 6 }"), "latents[1].w", "no space w; it has z"),
    (GENERATE, generate("w_plus { shape: 6 }"), "latents[1].w_plus", "no space w+"),
    # conditions
    (GENERATE, generate("seed: 1 condition { class_id: 0 }"), "latents[1].condition", "no classes"),
    (GENERATE, generate("seed: 1 condition { }"), "latents[1].condition", "no classes"),
    (GENERATE, 'model: "digits" latents { seed: 1 }', "latents[0].condition", "3 classes"),
    (
        GENERATE,
        'model: "digits" latents { seed: 1 condition { class_id: 3 } }',
        "latents[0].condition.class_id",
        "class 3 is not one of 0 to 2",
    ),
    (
        GENERATE,
        'model: "digits" latents { seed: 1 condition { class_mix { weights { key: 9 value: 1 } } } }',
        "latents[0].condition.class_mix.weights[9]",
        "0 to 2",
    ),
    (
        GENERATE,
        'model: "digits" latents { seed: 1 condition { class_mix { weights { key: 1 value: -1 } } } }',
        "latents[0].condition.class_mix.weights[1]",
        "-1.0 must be finite and not negative",
    ),
    (
        GENERATE,
        'model: "digits" latents { seed: 1 condition { class_mix { weights { key: 1 value: 0 } } } }',
        "latents[0].condition.class_mix.weights",
        "above 0",
    ),
    # movements
    (GENERATE, displaced('direction: "zoom"'), "displacements[0].extent", "give an alpha or an amount"),
    (
        GENERATE,
        displaced('direction: "zoom" extent { alpha: 1.01 }'),
        "displacements[0].extent.alpha",
        "1.01 is beyond slider 'zoom', from -1 to 1",
    ),
    (
        GENERATE,
        displaced('direction: "zoom" extent { amount: 4.1 }'),
        "displacements[0].extent.amount",
        "4.1 x is beyond slider 'zoom', from 0.25 to 4 x",
    ),
    (GENERATE, displaced('direction: "zoom" extent { amount: -1 }'), "displacements[0].extent.amount", "-1 x"),
    (GENERATE, displaced('direction: "zoom" extent { amount: nan }'), "displacements[0].extent.amount", "nan"),
    (GENERATE, displaced('direction: "zoom" extent { alpha: inf }'), "displacements[0].extent.alpha", "inf"),
    (
        GENERATE,
        displaced('direction: "style" slider: "age" extent { amount: 1 }'),
        "displacements[0].extent.amount",
        "imitates no edit; give an alpha",
    ),
    (GENERATE, displaced('direction: "style" extent { alpha: 1 }'), "displacements[0].slider", "age, light"),
    (
        GENERATE,
        displaced('direction: "style" slider: "size" extent { alpha: 1 }'),
        "displacements[0].slider",
        "'size' is none of age, light",
    ),
    (
        GENERATE,
        displaced('direction: "zoom" extent { alpha: 0.75 }')
        + ' displacements { direction: "zoom" slider: "zoom" extent { alpha: 0.5 } }',
        "displacements",
        "add up to alpha 1.25",
    ),
    (WALK, START, "legs", "at least 1"),
    (WALK, f"{START} legs {{ {FRAMES} }}", "legs[0].stretches", "at least 1"),
    (WALK, f'model: "faces" {leg()}', "starts", "0 must be from 1 to 64"),
    (
        WALK,
        walk() + leg('direction: "zoom" from { alpha: 0 } to { alpha: -7 }'),
        "legs[1].stretches[0].to.alpha",
        "-7 is beyond slider 'zoom', from -1 to 1",
    ),
    # frames
    (WALK, walk('direction: "zoom" from { alpha: 0 } to { alpha: 1 }', ""), "legs[0].frames", "0 must be from 1"),
    (
        WALK,
        walk('direction: "zoom" from { alpha: 0 } to { alpha: 1 }', "frames: 10001"),
        "legs[0].frames",
        "10,001 must be from 1 to 10,000",
    ),
    (
        WALK,
        START + 2 * leg('direction: "zoom" from { alpha: 0 } to { alpha: 1 }', "frames: 6000"),
        "legs",
        "12,000 frames in all; the most is 10,000",
    ),
    (WALK, walk() + " loop: true " + leg(rest="frames: 9000"), "legs", "18,004 frames"),
    (WALK, walk('direction: "zoom" from { alpha: 0 } to { alpha: 1 }', f"{FRAMES} easing: 9"), "legs[0].easing", "9"),
    (INTERPOLATE, 'model: "faces" keyframes { seed: 1 } frames_per_leg: 2', "keyframes", "1 must be from 2"),
    (INTERPOLATE, journey(""), "frames_per_leg", "0 must be from 1 to 10,000"),
    (INTERPOLATE, journey("frames_per_leg: 10000"), "frames_per_leg", "10,001 frames"),
    (INTERPOLATE, journey("frames_per_leg: 2 easing: 9"), "easing", "9 is no easing"),
    (INTERPOLATE, journey("frames_per_leg: 2 interpolation: 9"), "interpolation", "9 is none of"),
    # delivery
    (GENERATE, generate("seed: 1") + " delivery { determinism: 9 }", "delivery.determinism", "9 is none of DEFAULT"),
    (WALK, walk() + " delivery { priority: 9 }", "delivery.priority", "9 is none of LOW"),
    (WALK, walk() + " delivery { fps: 0 }", "delivery.fps", "0 must be from 0.1 to 1,000"),
    (WALK, walk() + " delivery { fps: nan }", "delivery.fps", "nan must be"),
    (
        INTERPOLATE,
        journey("frames_per_leg: 2 delivery { first_frame: 3 }"),
        "delivery.first_frame",
        "3 must be less than 3",
    ),
    # encodings
    (GENERATE, generate("seed: 1") + " encoding { format: 9 }", "encoding.format", "use one of RAW, PNG"),
    (GENERATE, generate("seed: 1") + " encoding { quality: 5 }", "encoding.quality", "RAW has no quality"),
    (
        WALK,
        walk() + " encoding { format: IMAGE_FORMAT_PNG quality: 5 }",
        "encoding.quality",
        "PNG has no quality",
    ),
    (
        INTERPOLATE,
        journey("frames_per_leg: 2 encoding { format: IMAGE_FORMAT_JPEG quality: 101 }"),
        "encoding.quality",
        "101 must be from 1 to 100",
    ),
]


def call(server, kind, text):
    method = {GENERATE: "Generate", WALK: "Walk", INTERPOLATE: "Interpolate"}[kind]
    return getattr(server.generation, method)(text_format.Parse(text, kind()))


async def test_an_invalid_field_is_named_with_its_value_and_its_limit(server, refusal):
    for kind, text, field, words in INVALID:
        refused = await refusal(call(server, kind, text))
        assert (refused.status, refused.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST"), text
        assert refused.fields == [field], text
        assert words in refused.message, text
    assert await server.metric("latentwalk_open_streams") == 0


@pytest.mark.parametrize(
    ("kind", "text", "reason", "existing"),
    [
        (GENERATE, 'model: "nobody" latents { seed: 1 }', "UNKNOWN_MODEL", "there are: digits, faces"),
        (WALK, "", "UNKNOWN_MODEL", "there are: digits, faces"),
        (INTERPOLATE, 'model: "../faces"', "UNKNOWN_MODEL", "there are: digits, faces"),
        (GENERATE, displaced('direction: "shrink" extent { alpha: 1 }'), "UNKNOWN_DIRECTION", "there are: style, zoom"),
        (WALK, walk('direction: ""'), "UNKNOWN_DIRECTION", "there are: style, zoom"),
        (
            WALK,
            'model: "digits" starts { seed: 1 condition { class_id: 0 } } ' + leg(),
            "UNKNOWN_DIRECTION",
            "there are none",
        ),
    ],
)
async def test_an_unknown_name_is_answered_with_those_that_exist(server, refusal, kind, text, reason, existing):
    refused = await refusal(call(server, kind, text))
    assert (refused.status, refused.reason) == ("NOT_FOUND", reason)
    assert existing in refused.message


async def test_too_many_movements_are_refused(server, refusal):
    request = pb.GenerateRequest(model="faces")
    request.latents.add(seed=1)
    for _ in range(1025):
        request.displacements.add(direction="zoom").extent.alpha = 0
    assert (await refusal(server.generation.Generate(request))).fields == ["displacements"]


async def test_an_oversized_message_is_refused_with_its_size_and_the_limit(library, serve, refusal):
    async with serve(library, max_request_mib=1) as server:
        request = pb.GenerateRequest(model="faces")
        request.latents.add().z.data = bytes(1_500_000)
        refused = await refusal(server.generation.Generate(request))
        assert (refused.status, refused.fields) == ("INVALID_ARGUMENT", ["request"])
        assert "at most 1,048,576 are accepted" in refused.message


async def test_rows_are_limited_to_what_fits_a_reply(library, serve, refusal):
    async with serve(library, max_rows=4096, max_reply_mib=1) as server:
        # A picture has 768 bytes, and fifteen sixteenths of a message are for pixels.
        request = pb.GenerateRequest(model="faces")
        for seed in range(1281):
            request.latents.add(seed=seed)
        refused = await refusal(server.generation.Generate(request))
        assert "1,281 must be from 1 to 1,280" in refused.message
        del request.latents[0]
        assert len((await server.generation.Generate(request)).images) == 1280


async def test_a_generator_of_other_than_grey_or_colour_can_only_be_had_raw(
    empty_library, serve, generator_of, refusal
):
    empty_library.put_generator("maps", generator_of(GeneratorSpec("dcgan", 6, 0, 16, 4, {"width": 4})))
    async with serve(empty_library) as server:
        text = 'model: "maps" latents { seed: 1 }'
        assert (await call(server, GENERATE, text)).images[0].channels == 4
        refused = await refusal(call(server, GENERATE, text + " encoding { format: IMAGE_FORMAT_PNG }"))
        assert (refused.fields, "4 channels" in refused.message) == (["encoding.format"], True)
