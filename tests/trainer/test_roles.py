"""Which role each rpc of the trainer takes."""

from latentwalk.rpc.roles import Role
from latentwalk.trainer.servicer import ROLES
from latentwalk.v1 import training_service_pb2


def test_every_rpc_has_a_role():
    assert set(ROLES) == set(training_service_pb2.DESCRIPTOR.services_by_name["TrainingService"].methods_by_name)


def test_to_look_takes_a_viewer_and_to_change_a_trainer():
    assert {name for name, role in ROLES.items() if role is Role.VIEWER} == {"GetJob", "ListJobs", "WatchJob"}
    assert set(ROLES.values()) == {Role.VIEWER, Role.TRAINER}
