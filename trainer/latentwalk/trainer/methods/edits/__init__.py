"""Directions supervised by edits."""

from latentwalk.trainer.methods.edits.direction import EditDirection

__all__ = ["EditDirection"]
