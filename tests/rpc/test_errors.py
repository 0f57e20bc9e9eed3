"""Every error of the tree becomes a status that a program can read and a header can hold."""

import string
from base64 import b64encode
from urllib.parse import quote

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo

from latentwalk.rpc import errors
from latentwalk.v1.error_reason_pb2 import ErrorReason

CASES = [
    (errors.InvalidRequest("legs[1].frames", "0 must be from 1 to 9"), "INVALID_ARGUMENT", "INVALID_REQUEST"),
    (errors.UnknownModel("x", ["a"]), "NOT_FOUND", "UNKNOWN_MODEL"),
    (errors.UnknownDirection("x", ["a"]), "NOT_FOUND", "UNKNOWN_DIRECTION"),
    (errors.UnknownJob("x", ["a"]), "NOT_FOUND", "UNKNOWN_JOB"),
    (
        errors.GeneratorMismatch("no", expected_digest="1", actual_digest="2"),
        "FAILED_PRECONDITION",
        "GENERATOR_MISMATCH",
    ),
    (errors.CorruptArtifact("no", file="f"), "FAILED_PRECONDITION", "CORRUPT_ARTIFACT"),
    (errors.JobStateConflict("no"), "FAILED_PRECONDITION", "JOB_STATE"),
    (errors.RequestIdReused("no"), "ALREADY_EXISTS", "REQUEST_ID_REUSED"),
    (errors.QueueFull("no", 1.5), "RESOURCE_EXHAUSTED", "QUEUE_FULL"),
    (errors.RateLimited("no", 1.5), "RESOURCE_EXHAUSTED", "RATE_LIMITED"),
    (errors.DeadlineExceeded("no"), "DEADLINE_EXCEEDED", "DEADLINE"),
    (errors.NotServing("no"), "UNAVAILABLE", "NOT_SERVING"),
    (errors.DeviceFailed("no"), "UNAVAILABLE", "DEVICE_FAILED"),
    (errors.UnknownArtifact("no"), "NOT_FOUND", "UNKNOWN_ARTIFACT"),
    (errors.ArtifactInUse("no"), "FAILED_PRECONDITION", "ARTIFACT_IN_USE"),
    (errors.StoreFailed("data", OSError("no")), "FAILED_PRECONDITION", "STORE_FAILED"),
    (errors.DeviceOutOfMemory("no"), "RESOURCE_EXHAUSTED", "DEVICE_OUT_OF_MEMORY"),
    (errors.Unauthenticated("no"), "UNAUTHENTICATED", "UNAUTHENTICATED"),
    (errors.PermissionDenied("no", role="operator"), "PERMISSION_DENIED", "PERMISSION_DENIED"),
    (errors.Internal("no"), "INTERNAL", "INTERNAL"),
]


def unpacked(error, kind):
    """The detail of that kind in the status of an error."""
    found = kind()
    assert any(detail.Unpack(found) for detail in errors.rich_status(error).details)
    return found


@pytest.mark.parametrize(("error", "status", "reason"), CASES, ids=lambda case: type(case).__name__)
def test_every_error_has_its_status_and_its_reason(error, status, reason):
    rich = errors.rich_status(error)
    assert rich.code == grpc.StatusCode[status].value[0]
    assert rich.message == str(error)
    info = unpacked(error, ErrorInfo)
    assert (info.domain, info.reason) == ("latentwalk", reason)


def test_every_reason_but_the_empty_one_has_an_error():
    assert {f"ERROR_REASON_{reason}" for _, _, reason in CASES} == set(ErrorReason.keys()) - {
        "ERROR_REASON_UNSPECIFIED"
    }


def test_metadata_is_in_the_error_info():
    error = errors.GeneratorMismatch("no", expected_digest="sha256:1", actual_digest="sha256:2")
    assert dict(unpacked(error, ErrorInfo).metadata) == {"expected_digest": "sha256:1", "actual_digest": "sha256:2"}


def test_an_invalid_request_names_every_field_that_is_wrong():
    error = errors.InvalidRequest.of([("a[0]", "is empty"), ("b", "7 is above 3")])
    assert str(error) == "a[0]: is empty; b: 7 is above 3"
    violations = unpacked(error, BadRequest).field_violations
    assert [(one.field, one.description) for one in violations] == [("a[0]", "is empty"), ("b", "7 is above 3")]


@pytest.mark.parametrize("kind", [errors.QueueFull, errors.RateLimited])
def test_what_is_refused_for_now_says_when_to_try_again(kind):
    delay = unpacked(kind("full", 1.5), RetryInfo).retry_delay
    assert delay.ToMilliseconds() == 1500


def test_a_name_that_is_not_there_is_answered_with_those_that_are():
    assert str(errors.UnknownModel("x", ["a", "b"])) == "no model 'x'; there are: a, b"
    assert str(errors.UnknownJob("x", [])) == "no job 'x'; there are none"


@pytest.mark.parametrize(
    "error",
    [
        errors.UnknownModel("x" * 1_000_000, [f"model-{index}" * 5 for index in range(10_000)]),
        errors.InvalidRequest.of((f"f[{index}]", "wrong " * 1000) for index in range(1000)),
        errors.InvalidRequest.of(("f" * 1000, "wrong " * 1000) for _ in range(1000)),
        errors.InvalidRequest("名" * 1000, "😀" * 1000),
        errors.CorruptArtifact("m" * 100_000, file="f" * 100_000),
        errors.UnknownModel("名" * 1000, ["%" * 1000]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_however_much_is_wrong_the_status_fits_into_a_header(error):
    status = errors.rich_status(error)
    assert "…" in status.message
    # As gRPC writes them: the message with %XX for what is not plain ASCII, and all of it in base64.
    assert (
        len(quote(status.message, safe=string.printable.replace("%", ""))) + len(b64encode(status.SerializeToString()))
        < 7_900
    )
