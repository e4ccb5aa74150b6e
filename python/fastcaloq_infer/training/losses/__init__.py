"""What a training of layer energies can minimise: one file per loss, and their mixtures.

`config` says what can be written in a configuration and `mixture` makes the objective. The others
are functions of samples, free of models and files: `mmd`, `sliced_wasserstein`, and for
`wasserstein` the critic and its penalty.
"""
