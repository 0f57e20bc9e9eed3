"""Measures of generators."""

from latentwalk.trainer.methods.evaluation.evaluation import Evaluation

__all__ = ["Evaluation"]
