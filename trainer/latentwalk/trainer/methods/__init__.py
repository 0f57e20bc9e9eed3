"""The methods, by name."""

from latentwalk.trainer.methods.edit_direction import EditDirection
from latentwalk.trainer.methods.method import Method

METHODS: dict[str, type[Method]] = {"edit_direction": EditDirection}
"""By the method's name in the oneof of latentwalk.v1.JobSpec."""
