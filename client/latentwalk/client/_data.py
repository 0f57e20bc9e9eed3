"""Real pictures that a job reads: data sets that the trainer knows, and folders."""

from dataclasses import dataclass

from latentwalk.client._values import text
from latentwalk.v1 import training_service_pb2 as pb


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of pictures on the trainer's machine, within its data folder; each sub-folder is a class."""

    path: str


def data_message(data: str | Folder) -> pb.Data:
    """The message of a data set or a folder."""
    if isinstance(data, Folder):
        return pb.Data(folder=text("data.path", data.path))
    return pb.Data(dataset=text("data", data))
