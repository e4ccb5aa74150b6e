"""Invertible transformations and the flows built from them."""
