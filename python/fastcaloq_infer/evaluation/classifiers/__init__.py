"""Classifiers between two samples: what they see, how they are trained, what they find."""
