"""What is kept of a picture is counted with the key under which it is found."""

import numpy as np
import torch

from latentwalk.server.engine import Choice, Engine, Row
from latentwalk.server.keys import entry_bytes, picture_key


def test_a_long_latent_counts_with_its_picture(faces, digits):
    for generator in (faces, digits):
        engine = Engine(generator, torch.device("cpu"))
        size = generator.spec.latent_size
        short, long = (picture_key(engine, Row(np.zeros(length, np.float32), None)) for length in (size, 1000 * size))
        assert entry_bytes(long, b"1234") - entry_bytes(short, b"1234") == 4 * 999 * size
        assert entry_bytes(short, b"1234") >= 4 + 4 * size


def test_a_picture_in_another_form_of_the_weights_is_another(faces):
    plain, other = (
        Engine(faces, torch.device("cpu"), choice=Choice({1: form}, {}, 0.0, 0))
        for form in ("fp32", "fp32-channels-last")
    )
    row = Row(np.zeros(faces.spec.latent_size, np.float32), None)
    assert picture_key(plain, row) != picture_key(other, row)
    assert picture_key(plain, row) == picture_key(plain, row)
