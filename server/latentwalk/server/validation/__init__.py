"""From the words of the wire to orders that can be carried out; InvalidRequest names the field, value and limit."""

from latentwalk.server.validation.deliveries import read_delivery, read_still_delivery
from latentwalk.server.validation.orders import (
    count_interpolation_frames,
    count_walk_frames,
    generate_order,
    interpolate_order,
    map_order,
    walk_order,
)
from latentwalk.server.validation.positions import check_setup, read_position, read_setup, steer_order
from latentwalk.server.validation.searches import search_order

__all__ = [
    "check_setup",
    "count_interpolation_frames",
    "count_walk_frames",
    "generate_order",
    "interpolate_order",
    "map_order",
    "read_delivery",
    "read_position",
    "read_setup",
    "read_still_delivery",
    "search_order",
    "steer_order",
    "walk_order",
]
