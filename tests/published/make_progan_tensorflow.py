"""Makes progan_tensorflow.safetensors: random weights of the code of Progressive GAN, and what it draws of them.

    git clone https://github.com/tkarras/progressive_growing_of_gans /tmp/peer && git -C /tmp/peer checkout 2504c3f
    PYTHONPATH=/tmp/peer python tests/published/make_progan_tensorflow.py    # with tensorflow-cpu 2, Python below 3.12

The options are those of its config.py, but for the sizes and classes. XLA computes on a CPU in the order of sides that
the code asks for, which TensorFlow alone does not.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import tensorflow.compat.v1 as tf
from safetensors.numpy import save_file

CLASSES = 3


def main() -> None:
    tf.disable_v2_behavior()
    tf.contrib = SimpleNamespace()
    sys.modules["tensorflow"] = tf
    from tfutil import Network

    session, random = tf.InteractiveSession(), np.random.RandomState(0)
    tf.set_random_seed(0)
    sizes = {"fmap_base": 64, "fmap_max": 8, "latent_size": 6, "label_size": CLASSES, "num_channels": 3}
    network = Network("G", "networks.G_paper", resolution=16, **sizes)
    for name, variable in network.vars.items():
        if name.endswith("bias"):
            network.set_var(name, random.randn(*variable.shape.as_list()).astype("f4") * 0.3)
    z, condition = random.randn(3, 6).astype("f4"), np.eye(CLASSES, dtype="f4")
    with tf.xla.experimental.jit_scope():
        drawn = network.get_output_for(tf.constant(z), tf.constant(condition), structure="linear")
    pictures, values = session.run([drawn, network.vars])
    weights = {f"checkpoint/{name}": np.asarray(value) for name, value in values.items()}
    given = {"z": z, "condition": condition, "pictures/1.0": pictures}
    save_file({**weights, **given}, Path(__file__).with_name("progan_tensorflow.safetensors"))


if __name__ == "__main__":
    main()
