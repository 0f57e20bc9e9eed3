"""The two graphs of Inception v3, torchvision's and the one that TensorFlow published in 2015, up to their features."""

from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import Inception3
from torchvision.models import inception as blocks

FEATURES = 2_048


def torchvision_graph() -> nn.Module:
    """Torchvision's, without what tells classes."""
    return _bare(blocks.InceptionA, blocks.InceptionC, blocks.InceptionE)


def published_graph() -> nn.Module:
    """That of TensorFlow's network, whose blocks differ from torchvision's in what their last branch sees."""
    network = _bare(_BlockA, _BlockC, _BlockE)
    network.Mixed_7c = _LastBlock(FEATURES)
    return network


def _averages(x: Tensor) -> Tensor:
    """Of 3 x 3 places; at the border, of those that there are."""
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


class _BlockA(blocks.InceptionA):
    def _forward(self, x: Tensor) -> list[Tensor]:
        return [*super()._forward(x)[:-1], self.branch_pool(_averages(x))]


class _BlockC(blocks.InceptionC):
    def _forward(self, x: Tensor) -> list[Tensor]:
        return [*super()._forward(x)[:-1], self.branch_pool(_averages(x))]


class _BlockE(blocks.InceptionE):
    def _forward(self, x: Tensor) -> list[Tensor]:
        return [*super()._forward(x)[:-1], self.branch_pool(_averages(x))]


class _LastBlock(blocks.InceptionE):
    def _forward(self, x: Tensor) -> list[Tensor]:
        return [*super()._forward(x)[:-1], self.branch_pool(F.max_pool2d(x, 3, stride=1, padding=1))]


def _bare(a: type[nn.Module], c: type[nn.Module], e: type[nn.Module]) -> Inception3:
    """Of these blocks, with weights that are not initialised as theirs: that takes seconds, and others come."""
    parts = [blocks.BasicConv2d, a, blocks.InceptionB, c, blocks.InceptionD, e, blocks.InceptionAux]
    network = Inception3(aux_logits=False, inception_blocks=parts, init_weights=False)
    network.register_module("fc", nn.Identity())
    return network
