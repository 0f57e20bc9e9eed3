"""The rules of the classes that a job is kept to."""

from collections.abc import Sequence

from latentwalk.gan.spec import GeneratorSpec
from latentwalk.rpc.errors import InvalidRequest


def check_class_ids(field: str, class_ids: Sequence[int], spec: GeneratorSpec) -> None:
    """Raises InvalidRequest unless the generator has the classes, and none is there twice."""
    if class_ids and not spec.classes:
        raise InvalidRequest(field, "are refused: the generator has no classes")
    seen = set[int]()
    for index, class_id in enumerate(class_ids):
        if class_id >= spec.classes:
            raise InvalidRequest(f"{field}[{index}]", f"{class_id} must be from 0 to {spec.classes - 1}")
        if class_id in seen:
            raise InvalidRequest(f"{field}[{index}]", f"{class_id} is there twice")
        seen.add(class_id)
