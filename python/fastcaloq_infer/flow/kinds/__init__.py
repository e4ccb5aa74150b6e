"""Where a quantum circuit may sit in a model of layer energies: ``quantum.kind`` and its models.

`config` says what can be written in a configuration, `build` makes the model. A kind of its own is
a module or folder here with a configuration and a subclass of `EnergyModel`, or blocks for
`EnergyFlow`; a circuit that conditions the flow is `fastcaloq_infer.conditioning`.
"""
