"""Sheets of pictures, for people to look at while a job goes on."""

import base64
from io import BytesIO

from PIL import Image
from torch import Tensor

from latentwalk.gan.images import to_uint8


def sheet(pictures: Tensor, columns: int, value_range: tuple[float, float] = (-1.0, 1.0)) -> str:
    """Pictures [N, C, H, W] in value_range, row after row of so many columns, as one PNG in base64."""
    from torchvision.utils import make_grid  # takes seconds to import

    grid = make_grid(pictures.detach().float(), nrow=columns, padding=1, pad_value=value_range[1])
    content = BytesIO()
    Image.fromarray(to_uint8(grid[None], value_range)[0].numpy()).save(content, "PNG")
    return base64.b64encode(content.getvalue()).decode()
