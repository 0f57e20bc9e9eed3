"""The mathematics of latentwalk: generators, latents, directions, walks, edits, and the artifacts that hold
them.

Shape legend of every docstring in this package: N batch, Z latent size, K classes or keyframes, S sliders, R
rows of a walk, C channels, H height, W width. Latents are float32 [N, Z]; pictures are float32 [N, C, H, W]
in ``spec.range``.
"""
