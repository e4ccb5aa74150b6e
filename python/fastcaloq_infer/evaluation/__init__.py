"""Figures that compare generated showers with Geant4."""
