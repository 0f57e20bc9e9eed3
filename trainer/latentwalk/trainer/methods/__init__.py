"""The methods, by name."""

from latentwalk.trainer.methods.boundary import Boundary
from latentwalk.trainer.methods.class_directions import ClassDirections
from latentwalk.trainer.methods.classifier import ClassifierTraining
from latentwalk.trainer.methods.discovery import Discovery
from latentwalk.trainer.methods.edits import EditDirection
from latentwalk.trainer.methods.evaluation import Evaluation
from latentwalk.trainer.methods.gan import Gan
from latentwalk.trainer.methods.joint import Joint
from latentwalk.trainer.methods.method import Method
from latentwalk.trainer.methods.pca import Pca
from latentwalk.trainer.methods.sefa import Sefa

METHODS: dict[str, type[Method]] = {
    "edit_direction": EditDirection,
    "sefa": Sefa,
    "pca": Pca,
    "boundary": Boundary,
    "gan": Gan,
    "joint": Joint,
    "classifier": ClassifierTraining,
    "discovery": Discovery,
    "class_directions": ClassDirections,
    "evaluation": Evaluation,
}
"""By the method's name in the oneof of latentwalk.v1.JobSpec."""
