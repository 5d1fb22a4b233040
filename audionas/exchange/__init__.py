"""Trained networks outside their run: raw features in, scores out, in torch or from an ONNX file."""
