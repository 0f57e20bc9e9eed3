"""Edits: what a steered picture should look like, done to its pixels.

The transformations, their masks and the amounts to train on are those of Jahanian, Chai and Isola, "On the
steerability of generative adversarial networks" (ICLR 2020, section 3, and the code of the paper), with an
amount for each picture. An amount is in the edit's natural unit; its linear coordinate is the one in which a
latent walk is straight: the logarithm for zoom, the amount itself for the others.
"""

from latentwalk.gan.edits.custom import SHAPES, CustomEdit
from latentwalk.gan.edits.edit import Edit, Span, masked_squared_error
from latentwalk.gan.edits.table import ADDING, EDITS, edit_of

__all__ = ["ADDING", "EDITS", "SHAPES", "CustomEdit", "Edit", "Span", "edit_of", "masked_squared_error"]
