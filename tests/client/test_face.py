"""The public face: what is exported, what is loaded, and that the two clients are twins."""

import inspect
import re
import subprocess
import sys
from types import ModuleType

import grpc
import pytest

import latentwalk.client as sdk
from latentwalk.client import _errors as errors
from latentwalk.client import _rpcs as rpcs
from latentwalk.v1 import error_reason_pb2, generation_service_pb2, model_service_pb2, training_service_pb2


def test_all_lists_every_public_name_in_order():
    public = {
        name for name, value in vars(sdk).items() if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert set(sdk.__all__) == public
    # Constants, then everything else, each in the order of the alphabet: as ruff sorts.
    assert sdk.__all__ == sorted(sdk.__all__, key=lambda name: (not name.isupper(), name))


def test_importing_the_sdk_and_the_command_line_loads_no_torch():
    code = (
        "import latentwalk.client, latentwalk.cli.commands, sys;"
        "print([m for m in sys.modules if m.split('.')[0] in ('torch', 'safetensors', 'sklearn')"
        " or m.startswith(('latentwalk.gan', 'latentwalk.rpc', 'latentwalk.server', 'latentwalk.trainer'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_documented():
    undocumented = [name for name in sdk.__all__ if inspect.isclass(value := getattr(sdk, name)) and not value.__doc__]
    assert undocumented == []


def test_every_method_of_the_client_and_of_a_job_is_documented():
    members = [*vars(sdk.Client).items(), *vars(sdk.JobHandle).items()]
    methods = [value for name, value in members if callable(value) and not name.startswith("_")]
    assert len(methods) > 22
    assert [method for method in methods if not method.__doc__] == []


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes():
    drawn: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"([│ ├└─]*)([A-Z]\w+)", line)
        if found and hasattr(sdk, found[2]):
            drawn.append((len(found[1]) // 4, found[2]))
    parents: list[str] = []
    for depth, name in drawn:
        parents[depth:] = [name]
        bases = [base.__name__ for base in getattr(sdk, name).__mro__]
        assert depth == 0 or parents[depth - 1] == bases[1], name
    public = {name for name in sdk.__all__ if inspect.isclass(one := getattr(sdk, name)) and issubclass(one, Exception)}
    assert {name for _, name in drawn} == public


@pytest.mark.parametrize(
    "reason", [name for name, _ in error_reason_pb2.ErrorReason.items() if not name.endswith("UNSPECIFIED")]
)
def test_every_reason_of_the_wire_has_an_exception(reason: str):
    assert reason.removeprefix("ERROR_REASON_") in errors.ERRORS


@pytest.mark.parametrize("status", [status for status in grpc.StatusCode if status is not grpc.StatusCode.OK])
def test_every_status_of_grpc_has_an_exception(status: grpc.StatusCode):
    assert status in errors.ERRORS


def test_the_table_of_rpcs_is_what_the_protos_say():
    ours = {(rpc.service, rpc.name): rpc for rpc in rpcs.RPCS if rpc.service != rpcs.HEALTH}
    theirs = {
        (service.full_name, method.name): method
        for module in (generation_service_pb2, model_service_pb2, training_service_pb2)
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    assert ours.keys() == theirs.keys()
    for key, rpc in ours.items():
        assert rpc.reply.DESCRIPTOR is theirs[key].output_type
        assert rpc.peer == ("trainer" if "Training" in rpc.service else "server")


@pytest.mark.parametrize(
    ("blocking", "asynchronous"),
    [
        (sdk.Client, sdk.AsyncClient),
        (sdk.JobHandle, sdk.AsyncJobHandle),
        (sdk.Walk, sdk.AsyncWalk),
        (sdk.Search, sdk.AsyncSearch),
        (sdk.Steering, sdk.AsyncSteering),
    ],
)
def test_the_two_clients_have_the_same_methods_with_the_same_parameters(blocking: type, asynchronous: type):
    def shape(cls: type) -> dict[str, list[inspect.Parameter]]:
        methods = {name: value for name, value in vars(cls).items() if callable(value) and not name.startswith("_")}
        return {name: list(inspect.signature(method).parameters.values()) for name, method in methods.items()}

    assert shape(blocking) == shape(asynchronous)
    assert blocking.__init__.__annotations__.keys() == asynchronous.__init__.__annotations__.keys()


def test_a_bound_method_shows_its_parameters_and_what_it_gives_back():
    signature = inspect.signature(sdk.Client().generate)
    assert list(signature.parameters)[:3] == ["model", "seeds", "z"]
    assert signature.return_annotation is sdk.Pictures


def test_help_names_types_as_the_code_does():
    shown = str(inspect.signature(sdk.Client().generate))
    assert "seeds: Seeds | None = None, z: ArrayLike | None = None" in shown
    assert "timeout: Timeout = NOT_SAID" in shown
    assert "_typing" not in "".join(
        str(inspect.signature(method))
        for name, method in vars(sdk.Client).items()
        if callable(method) and not name.startswith("_")
    )


def test_a_method_of_a_job_is_not_told_its_id():
    job = sdk.Client(trainer_address="127.0.0.1:1").job("a")
    assert list(inspect.signature(job.watch).parameters) == ["after", "timeout"]
    assert inspect.signature(job.describe).return_annotation is sdk.Job


def test_a_job_shows_what_every_job_can_be_told():
    told = inspect.signature(sdk.Client().train_edit).parameters
    assert {"steps", *sdk.ModelJobOptions.__annotations__} <= told.keys()
    assert "model_version" not in inspect.signature(sdk.Client().train_gan).parameters


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("stepz", r"train_edit\(\) got an unexpected keyword argument 'stepz'; did you mean 'steps'\?"),
        ("sede", r"train_edit\(\) got an unexpected keyword argument 'sede'; did you mean 'seed'\?"),
        ("xyzzy", r"train_edit\(\) got an unexpected keyword argument 'xyzzy'$"),
    ],
)
async def test_a_misspelled_option_of_a_job_is_refused_in_the_name_of_the_verb(option: str, told: str):
    call = ("faces", "zoom"), {"edits": "zoom", option: 3}
    with pytest.raises(TypeError, match=told):
        sdk.Client(trainer_address="127.0.0.1:1").train_edit(*call[0], **call[1])
    with pytest.raises(TypeError, match=told):
        await sdk.AsyncClient(trainer_address="127.0.0.1:1").train_edit(*call[0], **call[1])


def test_an_option_of_other_jobs_is_refused_where_it_makes_no_sense():
    gan = sdk.Gan(data="MNIST")
    with pytest.raises(TypeError, match=r"train_gan\(\) got an unexpected keyword argument 'model_version'"):
        sdk.Client(trainer_address="127.0.0.1:1").train_gan("new", gan, model_version=1)
