"""From the words of the wire to orders that can be carried out; InvalidRequest names the field, value and limit."""

from latentwalk.server.validation.orders import generate_order, interpolate_order, walk_order

__all__ = ["generate_order", "interpolate_order", "walk_order"]
