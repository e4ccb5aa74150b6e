"""The model file: its card, its digest, its schema."""

from __future__ import annotations

from fastcaloq_infer.artefact.card import SCHEMA, Card
from fastcaloq_infer.artefact.file import ModelFile, digest, read_card, read_model, write_model

__all__ = ["SCHEMA", "Card", "ModelFile", "digest", "read_card", "read_model", "write_model"]
