"""The one training loop."""

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import torch
from torch import Tensor

from latentwalk.trainer.checkpoint import Checkpoints
from latentwalk.trainer.methods.method import Method
from latentwalk.trainer.progress import Meter
from latentwalk.trainer.reports import Message, Progress

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
    report: Callable[[Progress | Message], None],
    pause: Pause,
) -> None:
    """Trains to the last step, from the newest checkpoint on, and writes one every ``every`` steps and at the end.

    Raises Interrupted, after a checkpoint, when ``pause`` does; NonFinite; CheckpointFailed.
    """
    meter = Meter(method.steps)
    step = saved = _restore(method, checkpoints, meter, report)
    report(meter.report(step))
    try:
        while step < method.steps:
            pause()
            meter.count(_advance(method, step))
            step += 1
            if step % every == 0 or step == method.steps:
                _save(method, checkpoints, meter, step)
                saved = step
            if meter.is_due(step) or step == method.steps:
                report(meter.report(step))
    except Interrupted:
        if step > saved:
            _save(method, checkpoints, meter, step)
        raise


def _advance(method: Method, step: int) -> float:
    """One step of the optimiser; returns the loss. Raises NonFinite."""
    method.before_step(step)
    losses = method.losses(step)
    _check_finite(step, {f"loss of {name}": loss for name, loss in losses.items()})
    loss = torch.stack(list(losses.values())).sum()
    method.optimiser.zero_grad()
    loss.backward()
    gradients = {name: p.grad.sum() for name, p in method.trained.named_parameters() if p.grad is not None}
    _check_finite(step, {f"gradient of {name}": gradient for name, gradient in gradients.items()})
    method.optimiser.step()
    return loss.item()


def _check_finite(step: int, scalars: Mapping[str, Tensor]) -> None:
    for name, scalar in scalars.items():
        if not math.isfinite(value := scalar.item()):
            raise NonFinite(
                f"the {name} is {value} at step {step}; the step was not taken. "
                "Look at the generator's weights, or try a lower learning_rate"
            )


# -- checkpoints -----------------------------------------------------------------------------------------------------


def _save(method: Method, checkpoints: Checkpoints, meter: Meter, step: int) -> None:
    trained = {f"trained.{name}": tensor for name, tensor in method.trained.state_dict().items()}
    optimiser = {
        f"optimiser.{index}.{name}": tensor
        for index, state in method.optimiser.state_dict()["state"].items()
        for name, tensor in state.items()
    }
    checkpoints.save(step, trained | optimiser, meter.numbers())


def _restore(method: Method, checkpoints: Checkpoints, meter: Meter, report: Callable[[Message], None]) -> int:
    """Loads the newest checkpoint, if there is one, and returns its step."""
    checkpoint = checkpoints.newest(lambda problem: report(Message(problem)))
    if checkpoint is None:
        return 0
    trained: dict[str, Tensor] = {}
    states: dict[int, dict[str, Any]] = {}
    for name, tensor in checkpoint.tensors.items():
        owner, _, rest = name.partition(".")
        if owner == "trained":
            trained[rest] = tensor
        else:
            index, _, field = rest.partition(".")
            states.setdefault(int(index), {})[field] = tensor
    method.trained.load_state_dict(trained)
    method.optimiser.load_state_dict(method.optimiser.state_dict() | {"state": states})
    meter.resume(checkpoint.step, checkpoint.numbers)
    report(Message(f"goes on from the checkpoint of step {checkpoint.step}"))
    return checkpoint.step
