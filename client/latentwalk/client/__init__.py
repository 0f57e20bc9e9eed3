"""The SDK of latentwalk: pictures from a generation server, walks through latent space, jobs of a trainer.

    from latentwalk.client import Client

    with Client("localhost:50051", trainer_address="localhost:50052") as client:
        client.generate("faces", seeds=7).save("face.png")
        client.walk("faces", "zoom", amount=(0.5, 2), seeds=[1, 2, 3], frames=9).save("zoom.gif")
        for frame in client.walk("faces", "zoom", seeds=1):
            frame.pictures[0].array  # uint8 [H, W, C]
        client.interpolate("faces", seeds=[1, 2, 3], loop=True).save("travel.webp")
        found = client.invert("faces", Picture.open("me.jpg").fitted(64, 64, 3)).result()
        client.walk("faces", "zoom", **found.latent).save("my_zoom.gif")
        with client.steer("faces") as steering:
            steering.move(seeds=7, displacements=Displacement("zoom", amount=1.5))  # as often as you like
            next(steering).pictures  # of the newest position
        job = client.train_edit("faces", "zoom", edits="zoom")
        for event in job.watch():
            print(event.what)
        print(job.result().evaluations)

`AsyncClient` is the same with `await`. Every failure is a LatentwalkError; the tree is drawn in `_errors`.
"""

from latentwalk.client._aio import AsyncClient
from latentwalk.client._aio_jobs import AsyncJobHandle
from latentwalk.client._aio_steering import AsyncSteering
from latentwalk.client._aio_streams import AsyncSearch, AsyncWalk
from latentwalk.client._artifacts import ArtifactKind, StoredVersion
from latentwalk.client._comparison import Comparison, SliderMeasures
from latentwalk.client._data import Folder
from latentwalk.client._delivery import Determinism, Priority
from latentwalk.client._discovery import DiscoveryOptions
from latentwalk.client._edits import CustomEdit, Edits, EditTarget
from latentwalk.client._errors import (
    AlreadyExists,
    ArtifactInUse,
    Cancelled,
    ClientClosed,
    CorruptArtifact,
    DeadlineExceeded,
    FailedPrecondition,
    GeneratorMismatch,
    InternalError,
    InvalidRequest,
    JobStateConflict,
    LatentwalkError,
    LimitExceeded,
    ModelChanged,
    NotFound,
    NoTrainer,
    Overloaded,
    PermissionDenied,
    RateLimited,
    ServiceError,
    Unauthenticated,
    Unavailable,
    Unimplemented,
    Violation,
)
from latentwalk.client._files import check_picture_file
from latentwalk.client._found import Found, load_latents
from latentwalk.client._frames import Frame, Frames, Header, Position
from latentwalk.client._gans import Gan
from latentwalk.client._job_events import JobEvent, JobMessage, JobProgress, JobSample, JobState, JobStateChange
from latentwalk.client._job_results import JobResult, PublishedArtifact, SliderEvaluation
from latentwalk.client._job_specs import JobSpec
from latentwalk.client._jobs import Job, JobFailed, JobPage
from latentwalk.client._labels import Labels
from latentwalk.client._latents import Classes, Seeds
from latentwalk.client._limits import SliderLimits
from latentwalk.client._making import JobOptions, ModelJobOptions
from latentwalk.client._models import Direction, LoadedModel, LoadState, Model, Provenance, Range, Slider, SliderSource
from latentwalk.client._options import NOT_SAID, Timeout
from latentwalk.client._paths import Displacement, Easing, Leg, Stretch
from latentwalk.client._picks import SliderPick
from latentwalk.client._pictures import Encoding, Picture, Pictures
from latentwalk.client._sheets import contact_sheet
from latentwalk.client._steering import SteerAnswer
from latentwalk.client._styles import Mix, Style, Styles
from latentwalk.client._sync import Client
from latentwalk.client._sync_jobs import JobHandle
from latentwalk.client._sync_steering import Steering
from latentwalk.client._sync_streams import Search, Walk
from latentwalk.client._tls import Tls

__all__ = [
    "NOT_SAID",
    "AlreadyExists",
    "ArtifactInUse",
    "ArtifactKind",
    "AsyncClient",
    "AsyncJobHandle",
    "AsyncSearch",
    "AsyncSteering",
    "AsyncWalk",
    "Cancelled",
    "Classes",
    "Client",
    "ClientClosed",
    "Comparison",
    "CorruptArtifact",
    "CustomEdit",
    "DeadlineExceeded",
    "Determinism",
    "Direction",
    "DiscoveryOptions",
    "Displacement",
    "Easing",
    "EditTarget",
    "Edits",
    "Encoding",
    "FailedPrecondition",
    "Folder",
    "Found",
    "Frame",
    "Frames",
    "Gan",
    "GeneratorMismatch",
    "Header",
    "InternalError",
    "InvalidRequest",
    "Job",
    "JobEvent",
    "JobFailed",
    "JobHandle",
    "JobMessage",
    "JobOptions",
    "JobPage",
    "JobProgress",
    "JobResult",
    "JobSample",
    "JobSpec",
    "JobState",
    "JobStateChange",
    "JobStateConflict",
    "Labels",
    "LatentwalkError",
    "Leg",
    "LimitExceeded",
    "LoadState",
    "LoadedModel",
    "Mix",
    "Model",
    "ModelChanged",
    "ModelJobOptions",
    "NoTrainer",
    "NotFound",
    "Overloaded",
    "PermissionDenied",
    "Picture",
    "Pictures",
    "Position",
    "Priority",
    "Provenance",
    "PublishedArtifact",
    "Range",
    "RateLimited",
    "Search",
    "Seeds",
    "ServiceError",
    "Slider",
    "SliderEvaluation",
    "SliderLimits",
    "SliderMeasures",
    "SliderPick",
    "SliderSource",
    "SteerAnswer",
    "Steering",
    "StoredVersion",
    "Stretch",
    "Style",
    "Styles",
    "Timeout",
    "Tls",
    "Unauthenticated",
    "Unavailable",
    "Unimplemented",
    "Violation",
    "Walk",
    "check_picture_file",
    "contact_sheet",
    "load_latents",
]
