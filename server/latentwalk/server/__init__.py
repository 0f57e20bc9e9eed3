"""The picture shop: a gRPC service that draws pictures and streams walks through latent space.

The data flows servicer -> validation -> latents and walks -> scheduler -> engine -> encoder -> reply.
"""
