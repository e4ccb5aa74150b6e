"""Maximum-likelihood training with full-state checkpoints."""
