"""From a trained flow to one self-describing ONNX file."""
