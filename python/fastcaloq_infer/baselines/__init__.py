"""What the flow is compared with: models of other kinds, trained on the same showers.

Every module here has a function ``learner(raw, source, folder)``, which `fastcaloq_infer.study`
calls for configurations whose ``model`` names it. ``wgan`` stands in for FastCaloGAN, ``zuko_flow``
is a flow from a library that users know. ``python -m fastcaloq_infer.baselines`` trains a WGAN on
whole showers and writes what it generates.

Both describe layer energies; only the WGAN can also generate voxels.
"""
