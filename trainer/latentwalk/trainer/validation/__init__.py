"""Requests of the wire -> the plain dataclasses of this package, or InvalidRequest naming the field.

Whatever could make a job fail for its spec's sake is found here, before the job is queued.
"""

from latentwalk.trainer.validation.requests import STATES, read_page, read_request, read_states
from latentwalk.trainer.validation.specs import read_spec

__all__ = ["STATES", "read_page", "read_request", "read_spec", "read_states"]
