"""The devices that jobs compute on."""

import torch

CPU = torch.device("cpu")
