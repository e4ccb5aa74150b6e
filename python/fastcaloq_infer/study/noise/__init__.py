"""What finite shots and noise do to a model whose circuit was trained exactly.

`features` disturbs what the circuit hands on, `measure` judges the showers that come of it, and
``python -m fastcaloq_infer.study.noise`` does both and draws the picture.
"""
