"""Every rpc that the SDK calls: its name on the wire, its reply, who answers it, and whether it may be sent twice."""

from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import Int32Value

from latentwalk.v1 import generation_service_pb2 as generation
from latentwalk.v1 import model_service_pb2 as models
from latentwalk.v1 import training_service_pb2 as training

Peer = Literal["server", "trainer"]
Reply = TypeVar("Reply", bound=Message)


@dataclass(frozen=True, slots=True)
class Rpc(Generic[Reply]):
    """One rpc.

    repeatable: sending it twice does what sending it once does, so a broken connection may be retried.
    interactive: what it brings is soon stale, so it has a connection of its own, which buffers little.
    """

    service: str
    name: str
    reply: type[Reply]
    peer: Peer = "server"
    repeatable: bool = False
    interactive: bool = False

    @property
    def path(self) -> str:
        """The rpc's path on the wire, "/package.Service/Name"."""
        return f"/{self.service}/{self.name}"


GENERATION = "latentwalk.v1.GenerationService"
MODELS = "latentwalk.v1.ModelService"
TRAINING = "latentwalk.v1.TrainingService"
HEALTH = "grpc.health.v1.Health"

GENERATE = Rpc(GENERATION, "Generate", generation.GenerateResponse, repeatable=True)
WALK = Rpc(GENERATION, "Walk", generation.WalkResponse)
INTERPOLATE = Rpc(GENERATION, "Interpolate", generation.InterpolateResponse)
MAP_LATENTS = Rpc(GENERATION, "MapLatents", generation.MapLatentsResponse, repeatable=True)
INVERT = Rpc(GENERATION, "Invert", generation.InvertResponse)
STEER = Rpc(GENERATION, "Steer", generation.SteerResponse, interactive=True)

LIST_MODELS = Rpc(MODELS, "ListModels", models.ListModelsResponse, repeatable=True)
GET_MODEL = Rpc(MODELS, "GetModel", models.GetModelResponse, repeatable=True)
LOAD_MODEL = Rpc(MODELS, "LoadModel", models.LoadModelResponse)
UNLOAD_MODEL = Rpc(MODELS, "UnloadModel", models.UnloadModelResponse)
LIST_DIRECTIONS = Rpc(MODELS, "ListDirections", models.ListDirectionsResponse, repeatable=True)
GET_DIRECTION = Rpc(MODELS, "GetDirection", models.GetDirectionResponse, repeatable=True)
LOAD_DIRECTION = Rpc(MODELS, "LoadDirection", models.LoadDirectionResponse)
UNLOAD_DIRECTION = Rpc(MODELS, "UnloadDirection", models.UnloadDirectionResponse)
PICK_SLIDERS = Rpc(MODELS, "PickSliders", models.PickSlidersResponse)
LIST_VERSIONS = Rpc(MODELS, "ListVersions", models.ListVersionsResponse, repeatable=True)
DELETE_VERSION = Rpc(MODELS, "DeleteVersion", models.DeleteVersionResponse)

# CreateJob may be repeated because its request_id makes the second one answer with the first one's job.
CREATE_JOB = Rpc(TRAINING, "CreateJob", training.CreateJobResponse, "trainer", repeatable=True)
GET_JOB = Rpc(TRAINING, "GetJob", training.GetJobResponse, "trainer", repeatable=True)
LIST_JOBS = Rpc(TRAINING, "ListJobs", training.ListJobsResponse, "trainer", repeatable=True)
CANCEL_JOB = Rpc(TRAINING, "CancelJob", training.CancelJobResponse, "trainer")
PAUSE_JOB = Rpc(TRAINING, "PauseJob", training.PauseJobResponse, "trainer")
RESUME_JOB = Rpc(TRAINING, "ResumeJob", training.ResumeJobResponse, "trainer")
DELETE_JOB = Rpc(TRAINING, "DeleteJob", training.DeleteJobResponse, "trainer")
WATCH_JOB = Rpc(TRAINING, "WatchJob", training.WatchJobResponse, "trainer")

# HealthCheckResponse is one enum with field number 1, which is Int32Value on the wire: no stubs of the health service
# are needed, and grpcio-health-checking stays with the services.
SERVER_HEALTH = Rpc(HEALTH, "Watch", Int32Value)
TRAINER_HEALTH = Rpc(HEALTH, "Watch", Int32Value, "trainer")

RPCS: tuple[Rpc[Any], ...] = (
    GENERATE,
    WALK,
    INTERPOLATE,
    STEER,
    MAP_LATENTS,
    INVERT,
    LIST_MODELS,
    GET_MODEL,
    LOAD_MODEL,
    UNLOAD_MODEL,
    LIST_DIRECTIONS,
    GET_DIRECTION,
    LOAD_DIRECTION,
    UNLOAD_DIRECTION,
    PICK_SLIDERS,
    LIST_VERSIONS,
    DELETE_VERSION,
    CREATE_JOB,
    GET_JOB,
    LIST_JOBS,
    CANCEL_JOB,
    PAUSE_JOB,
    RESUME_JOB,
    DELETE_JOB,
    WATCH_JOB,
    SERVER_HEALTH,
    TRAINER_HEALTH,
)
