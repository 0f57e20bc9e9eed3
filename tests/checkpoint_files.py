"""Checkpoints in files, and why they are refused."""

from pathlib import Path

import pytest
import torch

from latentwalk.gan.checkpoints import read_checkpoint
from latentwalk.gan.errors import CheckpointRefused

FORMS = {"zip": True, "legacy": False}


def save(content: object, path: Path, form: str = "zip") -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=FORMS[form])
    return path


def refusal(path: Path, **limits: int) -> str:
    with pytest.raises(CheckpointRefused) as caught:
        read_checkpoint(path, **limits)
    assert caught.value.path == str(path)
    assert str(path) in str(caught.value)
    assert caught.value.reason in str(caught.value)
    return caught.value.reason
