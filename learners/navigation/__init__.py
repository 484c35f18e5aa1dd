"""A navigator that is taught goal categories stage by stage, by imitation and DAgger, with methods against forgetting behind one interface.

C-NAV ("C-NAV: Towards Self-Evolving Continual Object Navigation in Open World", https://arxiv.org/abs/2510.20685) keeps features in the
place of trajectories: `losses` distils the aligned features and replays stored ones, `keyframes` chooses the steps that are stored,
`episode_buffer` bounds them. `retention` has the parts of every method, `methods` the table; `backbones` has three decoders behind one
interface. `lifelong bench navigation` measures them.
"""
