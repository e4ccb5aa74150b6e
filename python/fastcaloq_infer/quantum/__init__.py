"""Parametrised quantum circuits: one description, three realisations."""
