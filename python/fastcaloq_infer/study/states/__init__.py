"""What it costs to keep a whole state: time and memory of its simulation, shots of its tomography.

``python -m fastcaloq_infer.study.states -o FOLDER`` writes ``results.json`` and ``cost.png``.
"""
