"""How entangled a latent space is.

Karras, Laine and Aila, "A style-based generator architecture for generative adversarial networks" (CVPR 2019,
arXiv:1812.04948), section 4. Shapes: N latents, D numbers of a code, K classes.
"""

import torch
from torch import Tensor

STEP = 1e-4
"""What part of a path lies between the two pictures of a pair."""
_TRIMMED = 0.01


def path_length(distances: Tensor) -> float:
    """The perceptual path length: the mean of the distances [N] of pairs, over STEP^2.

    As in the paper's code, without what is below the 1st or above the 99th percentile.
    """
    lengths = distances.double().sort().values / STEP**2
    cut = int(_TRIMMED * (len(lengths) - 1))
    return lengths[cut : len(lengths) - cut].mean().item()


def margins(logits: Tensor) -> Tensor:
    """By how much each class is likelier than all others together, log p - log(1 - p): [N, K] of logits [N, K]."""
    logits = logits.double()
    others = torch.stack([_without(logits, k).logsumexp(dim=1) for k in range(logits.shape[1])], dim=1)
    return logits - others


def conditional_entropy(codes: Tensor, margin: Tensor) -> float:
    """H(Y | X) in nats: what a plane in latent space leaves unsaid of whether a picture is of a class.

    codes: [N, D]; margin: [N], of the class, above 0 if it is. The surest half of either side counts: the paper's
    attributes are binary and keep the surest half of all, which of one class of many would be those of other classes.
    X is the side of the plane of a linear support vector machine. 0 if all are on one side.
    """
    kept = torch.cat([_surest(margin, margin > 0), _surest(-margin, margin <= 0)])
    labels = margin[kept] > 0
    if labels.all() or not labels.any():
        return 0.0
    said = _told(codes[kept], labels)
    joint = torch.bincount(2 * said + labels.long(), minlength=4).double().view(2, 2) / len(labels)
    return float((torch.special.entr(joint).sum() - torch.special.entr(joint.sum(dim=1)).sum()).clamp(min=0))


def separability(entropies: Tensor) -> float:
    """The score of section 4.2, exp of the sum of conditional entropies [K]: 1 is separated without a rest."""
    return entropies.double().sum().exp().item()


def _without(logits: Tensor, k: int) -> Tensor:
    return torch.cat([logits[:, :k], logits[:, k + 1 :]], dim=1)


def _surest(confidence: Tensor, side: Tensor) -> Tensor:
    """The rows of a side with the greatest confidence: half of them, rounded up."""
    rows = side.nonzero()[:, 0]
    order = confidence[rows].argsort(descending=True, stable=True)
    return rows[order[: (len(rows) + 1) // 2]]


def _told(codes: Tensor, labels: Tensor) -> Tensor:
    """On which side of the best plane each code is, 0 or 1: int64 [N]."""
    from sklearn.svm import LinearSVC  # takes seconds to import

    machine = LinearSVC(dual="auto", random_state=0).fit(codes.double().numpy(), labels.numpy())
    return torch.from_numpy(machine.predict(codes.double().numpy())).long()
