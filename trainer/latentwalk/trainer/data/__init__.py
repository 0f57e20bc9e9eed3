"""Pictures to learn from: data sets of torchvision and folders of pictures, whole in memory."""

from latentwalk.trainer.data.library import Kind, Library
from latentwalk.trainer.data.pictures import DataRefused, Form, Part, Pictures

__all__ = ["DataRefused", "Form", "Kind", "Library", "Part", "Pictures"]
