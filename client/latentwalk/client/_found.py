"""What a search for the latent of a picture finds. Shapes: Z and W numbers of a z and a w, L layers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from latentwalk.client._aside import written_aside
from latentwalk.client._errors import InvalidRequest
from latentwalk.client._files import StrPath, file_path
from latentwalk.client._latents import Class, Classes
from latentwalk.client._pictures import Picture
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import latent_pb2

_SPACES: Mapping[str, Literal["z", "w", "w+"]] = {"z": "z", "w": "w", "w_plus": "w+"}


@dataclass(frozen=True, eq=False)
class Found:
    """The best latent that a search has seen so far. In a notebook it shows its picture."""

    step: int
    """After so many steps."""
    space: Literal["z", "w", "w+"]
    code: NDArray[np.float32] = field(repr=False)
    """z [Z], w [W] or w+ [L, W]."""
    classes: Class | None
    """The class, or mixture of classes, of the start; None without classes."""
    error: float
    """Mean squared difference to the given picture, of values from 0 to 1; of found latents it never grows."""
    picture: Picture
    """The picture of the latent."""
    start: int
    """Which of the starts the search began at."""
    model_version: str
    model_digest: str
    lpips: float | None = None
    """LPIPS to the given picture, if the search goes by it: then the best has the least weighted sum of both."""

    @classmethod
    def from_message(cls, reply: pb.InvertResponse) -> "Found":
        """What was found, in a message."""
        kind = reply.latent.WhichOneof("code") or "z"
        tensor = getattr(reply.latent, kind)
        return cls(
            step=reply.step,
            space=_SPACES[kind],
            code=np.frombuffer(tensor.data, "<f4").reshape(tensor.shape),
            classes=_class_of(reply.latent.condition),
            error=reply.error,
            picture=Picture.from_message(reply.image),
            start=reply.start,
            model_version=reply.model_version,
            model_digest=reply.model_digest,
            lpips=reply.lpips if reply.HasField("lpips") else None,
        )

    @property
    def latent(self) -> dict[str, Any]:
        """The latent as arguments of other calls: `client.walk("faces", "zoom", **found.latent)`."""
        return latent_of(self.code[None], self.space, self.classes)

    def save(self, path: StrPath) -> None:
        """Writes the latent as a NumPy file (.npz), for `load_latents` and `latentwalk walk --latent`."""
        mixture = {self.classes: 1.0} if isinstance(self.classes, int) else self.classes or {}
        with written_aside(file_path("path", path)) as part, part.open("wb") as file:  # numpy would add an ending
            np.savez(
                file,
                space=np.array(self.space),
                code=self.code,
                class_ids=np.array(list(mixture), np.int64),
                class_weights=np.array(list(mixture.values()), np.float64),
            )

    def _repr_png_(self) -> bytes:
        return self.picture.png()


def show_search(name: str, best: Found | None) -> str:
    """How a search shows itself."""
    if best is None:
        return f"<{name}: nothing found yet; result() searches to the end>"
    return f"<{name}: the best of {best.step} steps has error {best.error:.3g}; result() goes on to the end>"


def best_found(best: Found | None) -> Found:
    """The best that a search has seen; InvalidRequest if it has seen none."""
    if best is None:
        raise InvalidRequest.of("search", "has ended before anything was found")
    return best


def latent_of(codes: NDArray[np.float32], space: str, classes: Classes | None) -> dict[str, Any]:
    """Codes [N, ...] of one space as arguments of other calls."""
    given = {"z" if space == "z" else "w": codes}
    return given if classes is None else {**given, "classes": classes}


def load_latents(*paths: StrPath) -> dict[str, Any]:
    """What `Found.save` has written, as arguments of other calls: `client.walk("faces", "zoom", **load_latents(path))`.

    All must be of one space, and one size. Raises OSError, and InvalidRequest for another file.
    """
    if not paths:
        raise InvalidRequest.of("latents", "are none; give at least one file")
    spaces, codes, classes = zip(*(_read(file_path("latents", path)) for path in paths), strict=True)
    if len(set(spaces)) > 1:
        raise InvalidRequest.of("latents", f"are in {', '.join(spaces)}; give those of one space")
    if len(shapes := {code.shape for code in codes}) > 1:
        raise InvalidRequest.of("latents", f"are of {len(shapes)} sizes; give those of one model")
    return latent_of(np.stack(codes), spaces[0], None if None in classes else classes)


def _read(path: Path) -> tuple[str, NDArray[np.float32], Class | None]:
    """Space, code and class of a latent in a file."""
    try:
        with np.load(path, allow_pickle=False) as file:
            weights = zip(file["class_ids"].tolist(), file["class_weights"].tolist(), strict=True)
            return str(file["space"]), file["code"].astype(np.float32), _class(dict(weights))
    except OSError:
        raise
    except Exception as error:  # whatever a file that is damaged, or another one, makes of numpy
        raise InvalidRequest.of("latents", f"{path} is no latent that `Found.save` has written") from error


def _class_of(condition: latent_pb2.Condition) -> Class | None:
    if condition.WhichOneof("kind") == "class_id":
        return condition.class_id
    return _class(condition.class_mix.weights)


def _class(weights: Mapping[int, float]) -> Class | None:
    """A mixture as a caller would give it: None of no classes, the number of one."""
    return next(iter(weights)) if len(weights) == 1 else dict(weights) or None
