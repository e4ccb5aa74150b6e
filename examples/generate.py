"""generate.py MODEL ENERGY_MEV N: layer energies of N showers, in MeV, as generate.cpp has them."""

import sys

from fastcaloq_infer import Sampler

model, energy, n = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
showers = Sampler(model).sample(energy, n=n, eta=0.2, seed=1)
for layer_energy in showers.layer_energy:
    print(*(f"{e:.9g}" for e in layer_energy))
