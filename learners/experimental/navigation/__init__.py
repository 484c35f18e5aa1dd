"""A navigator that is taught goal categories stage by stage, by imitation and DAgger, and keeps features in the place of trajectories.

The method follows C-NAV ("C-NAV: Towards Self-Evolving Continual Object Navigation in Open World", https://arxiv.org/abs/2510.20685):
`losses` distils the aligned features and replays stored ones, `keyframes` chooses the steps that are stored, `feature_buffer` bounds them,
`backbones` has three decoders behind one interface. No suite measures it yet.
"""
