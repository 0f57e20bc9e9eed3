"""How large networks are: of those that are made on the device "meta", before there is any room for them."""

from torch import nn


def count_numbers(network: nn.Module) -> int:
    """How many numbers its weights and buffers are."""
    return sum(tensor.numel() for tensor in network.state_dict().values())
