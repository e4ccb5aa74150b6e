"""Voxel flows trained for the same time: how well their showers pass for Geant4, at what cost."""
