"""From a trained flow to one self-describing ONNX file."""

from __future__ import annotations

from fastcaloq_infer.export.export import ExportResult, export_flow, export_onnx

__all__ = ["ExportResult", "export_flow", "export_onnx"]
