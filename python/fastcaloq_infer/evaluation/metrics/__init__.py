"""How far two samples are apart: one figure per file, each beside its floor."""
