"""The one training loop."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from latentwalk.trainer.checkpoint import Checkpoint, CheckpointFailed, Checkpoints
from latentwalk.trainer.data import DataRefused
from latentwalk.trainer.methods.method import Method, Phase
from latentwalk.trainer.progress import Meter
from latentwalk.trainer.reports import Message, News
from latentwalk.trainer.team import TEAM_OF_ONE, Team

Pause: TypeAlias = Callable[[], None]
"""Called where the work may be interrupted; raises Interrupted if it is to be."""


class Interrupted(Exception):
    """Somebody wants the job to stop."""


class NonFinite(Exception):
    """A loss or a gradient is not finite. The step was not taken: what is trained is as it was before."""


def train(
    method: Method,
    checkpoints: Checkpoints,
    every: int,
    *,
    report: Callable[[News], None],
    pause: Pause,
    team: Team = TEAM_OF_ONE,
) -> None:
    """Trains to the last step, from the newest checkpoint on, and writes one every ``every`` steps and at the end.

    Each process of a team does so, on its own rows, and all of them end with the same; the one that leads writes.

    Raises Interrupted, after a checkpoint, when ``pause`` does, as it must in all processes at once; DataRefused for
    pictures that are not those of the checkpoint; NonFinite; CheckpointFailed; TeamBroken.
    """
    meter = Meter(method.steps)
    step = saved = _restore(method, checkpoints, meter, report)

    def save(step: int) -> None:
        if team.leads:
            _save(method, checkpoints, meter, step)

    report(meter.report(step))
    try:
        while step < method.steps:
            pause()
            meter.count(_advance(method, step, team))
            step += 1
            if step % every == 0 or step == method.steps:
                save(step)
                saved = step
            if meter.is_due(step) or step == method.steps:
                report(meter.report(step))
            if sample := method.sample(step):
                report(sample)
    except Interrupted:
        if step > saved:
            save(step)
        raise


def _advance(method: Method, step: int, team: Team) -> dict[str, float]:
    """One step, phase by phase; returns the terms of the losses. Raises NonFinite, TeamBroken."""
    method.before_step(step)
    terms: dict[str, float] = {}
    for phase in method.phases:
        terms |= _turn(method, phase, step, team)
    method.after_step(step)
    return terms


def _turn(method: Method, phase: Phase, step: int, team: Team) -> dict[str, float]:
    """One step of one optimiser; returns the terms of its loss. Losses and gradients are those of the whole batch."""
    own = [parameter for group in phase.optimiser.param_groups for parameter in group["params"]]
    method.trained.requires_grad_(requires_grad=False)
    for parameter in own:
        parameter.requires_grad_()
    losses = phase.losses(step)
    if not losses:
        return {}
    terms = dict(zip(losses, team.averages(list(losses.values())), strict=True))
    phase.optimiser.zero_grad()
    torch.stack(list(losses.values())).sum().backward()
    if team.seat.world_size > 1:
        _average_gradients(own, team)
    values = _finite(step, terms, _gradient_sums(method, own))
    phase.optimiser.step()
    return values


def _average_gradients(parameters: Sequence[Tensor], team: Team) -> None:
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    for own, average in zip(gradients, team.averages(gradients), strict=True):
        own.copy_(average)


def _gradient_sums(method: Method, own: Sequence[Tensor]) -> dict[str, Tensor]:
    """A scalar for each parameter of the phase, which is finite only if its whole gradient is."""
    wanted = set(map(id, own))
    parameters = {name: p for name, p in method.trained.named_parameters() if id(p) in wanted}
    return {name: p.grad.sum() for name, p in parameters.items() if p.grad is not None}


def _finite(step: int, losses: Mapping[str, Tensor], gradients: Mapping[str, Tensor]) -> dict[str, float]:
    """The values of the losses. Raises NonFinite, naming the first scalar of losses and gradients that is not finite.

    All of them are fetched at once: the device is waited for once a turn, and has nothing to do meanwhile.
    """
    names = [f"loss of {name}" for name in losses] + [f"gradient of {name}" for name in gradients]
    values = torch.stack([*losses.values(), *gradients.values()]).tolist()
    for name, value in zip(names, values, strict=True):
        if not math.isfinite(value):
            raise NonFinite(
                f"the {name} is {value} at step {step}; the step was not taken. "
                "Look at the generator's weights, or try a lower learning_rate"
            )
    return dict(zip(losses, values, strict=False))


# -- checkpoints -----------------------------------------------------------------------------------------------------


def _save(method: Method, checkpoints: Checkpoints, meter: Meter, step: int) -> None:
    trained = {f"trained.{name}": tensor for name, tensor in method.trained.state_dict().items()}
    optimisers = {
        f"optimiser.{phase.name}.{index}.{name}": tensor
        for phase in method.phases
        for index, state in phase.optimiser.state_dict()["state"].items()
        for name, tensor in state.items()
    }
    checkpoints.save(step, trained | optimisers, meter.numbers(), method.data)


def _restore(method: Method, checkpoints: Checkpoints, meter: Meter, report: Callable[[Message], None]) -> int:
    """Loads the newest checkpoint, if there is one, and returns its step. Raises DataRefused, CheckpointFailed."""
    checkpoint = checkpoints.newest(lambda problem: report(Message(problem)))
    if checkpoint is None:
        return 0
    _check_data(checkpoint, method)
    trained: dict[str, Tensor] = {}
    states: dict[str, dict[int, dict[str, Any]]] = {phase.name: {} for phase in method.phases}
    for name, tensor in checkpoint.tensors.items():
        owner, _, rest = name.partition(".")
        if owner == "trained":
            trained[rest] = tensor
        else:
            phase, index, field = rest.split(".")
            states[phase].setdefault(int(index), {})[field] = tensor
    _check_kept(checkpoint.step, trained, method.trained.state_dict())
    method.trained.load_state_dict(trained)
    for phase in method.phases:
        phase.optimiser.load_state_dict(phase.optimiser.state_dict() | {"state": states[phase.name]})
    meter.resume(checkpoint.step, checkpoint.numbers)
    report(Message(f"goes on from the checkpoint of step {checkpoint.step}"))
    return checkpoint.step


def _check_data(checkpoint: Checkpoint, method: Method) -> None:
    """Raises DataRefused for other pictures: the end would be of neither, and the digest that is published untrue."""
    for part, seen in checkpoint.data.items():
        found = method.data[part]
        if found != seen:
            raise DataRefused(
                f"the pictures of the {part} part have changed since step {checkpoint.step}: their digest was {seen} "
                f"and is {found}. Put them back as they were and resume the job, or create another one, which begins "
                "with these"
            )


def _check_kept(step: int, kept: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Raises CheckpointFailed for tensors of other names or shapes."""
    if _shapes(kept) != _shapes(wanted):
        raise CheckpointFailed(
            f"the checkpoint of step {step} is of another version of the trainer, which kept other things of such a "
            "job: resume it with that version, or create another one"
        )


def _shapes(tensors: Mapping[str, Tensor]) -> Mapping[str, torch.Size]:
    return {name: tensor.shape for name, tensor in tensors.items()}
