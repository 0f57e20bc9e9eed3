"""What a walk moves, and what is drawn of it, under a truncation: as the server truncates and moves it."""

import pytest
import torch
from styled import make_styled

from latentwalk.gan.edits import EDITS, masked_squared_error
from latentwalk.gan.latents import latents_from_seeds, z_from_seeds
from latentwalk.gan.spec import SPACES
from latentwalk.gan.truncations import Truncation
from latentwalk.trainer import seeds
from latentwalk.trainer.checkpoint import Checkpoints
from latentwalk.trainer.loop import train
from latentwalk.trainer.methods.edits import EditDirection
from latentwalk.trainer.methods.edits.codes import Codes
from latentwalk.trainer.specs import WalkForm
from latentwalk.trainer.specs.edits import ClassChoice

CLASS = torch.tensor([[0.0, 1.0]])
TRUNCATIONS = [Truncation(psi=0.5), Truncation(psi=0.5, layers=2)]


def trained(spec, generator, folder):
    method = EditDirection(spec, generator)
    train(method, Checkpoints(folder), 1000, report=lambda _: None, pause=lambda: None)
    return method


@torch.no_grad()
def served(styled, z, truncation, direction=None, alphas=None):
    """Pictures of class 1, half as far from the mean as they were, and walked."""
    if direction and direction.space == "z":
        z = direction.walk(z, 0, alphas)
    w_plus, layers = styled.map(z, CLASS.expand(len(z), -1)).clone(), truncation.layers
    w_plus[:, :layers] = (w_plus[:, :layers] + styled.mean_w) / 2
    if direction and direction.space != "z":
        w_plus = direction.walk(w_plus, 0, alphas)
    return styled.synthesise(w_plus)


@pytest.mark.parametrize("truncation", TRUNCATIONS)
@pytest.mark.parametrize("space", SPACES)
def test_pictures_are_of_the_truncated_w_whatever_is_moved(space, truncation):
    styled, codes, condition = make_styled(), Codes(space, truncation), CLASS.expand(3, -1)
    z = z_from_seeds([3, 4, 5], 6)
    code = codes.of_seeds(styled, [3, 4, 5], condition)
    found = codes.draw(styled, code, condition)
    torch.testing.assert_close(found, served(styled, z, truncation))
    assert (found - styled(z, condition)).abs().max() > 0.01
    if space == "z":
        assert torch.equal(code, z)
        torch.testing.assert_close(codes.draw(styled, z + 1, condition), served(styled, z + 1, truncation))


@pytest.mark.parametrize("truncation", TRUNCATIONS)
@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("form", list(WalkForm))
def test_walks_are_learnt_and_measured_as_they_are_served(make_spec, tmp_path, space, form, truncation):
    styled, rate = make_styled(), {WalkForm.LINEAR: 0.1, WalkForm.NONLINEAR: 0.01}[form]
    how = {"space": space, "form": form, "truncation": truncation, "classes": ClassChoice(class_id=1)}
    method = trained(make_spec(steps=60, batch_size=8, learning_rate=rate, **how), styled, tmp_path)
    [evaluation] = method.evaluate(lambda: None)
    assert evaluation.error < evaluation.baseline
    amounts = EDITS["brightness"].draw(40, -0.25, 0.25, seeds.held_out_generator("brightness"))
    z = z_from_seeds(seeds.held_out_seeds(40), 6)
    pictures = served(styled, z, truncation)
    walked = served(styled, z, truncation, method.direction(), amounts / 0.25)
    edited = EDITS["brightness"](pictures, amounts)
    for found, expected in ((evaluation.baseline, pictures), (evaluation.error, walked)):
        assert found == pytest.approx(masked_squared_error(expected, *edited).mean().item(), rel=1e-4)


def test_a_threshold_cuts_off_z_also_for_jobs_of_before_that_had_one_with_a_mapping_network(generator):
    styled, condition, cut = make_styled(), CLASS.expand(3, -1), Truncation(threshold=0.5)
    plain = latents_from_seeds([3, 4, 5], generator.spec, 0.5)
    assert torch.equal(Codes("z", cut).of_seeds(generator, [3, 4, 5], None), plain)
    assert torch.equal(Codes("z", cut).draw(generator, plain, None), generator(plain))
    mapped = styled.encode(latents_from_seeds([3, 4, 5], styled.spec, 0.5), "w", condition)
    assert torch.equal(Codes("w", cut).of_seeds(styled, [3, 4, 5], condition), mapped)
