"""The model file: its card, its digest, its schema."""
