"""What measuring a reversible circuit loses, in nats: of the input, of the bins, of the fit.

``python -m fastcaloq_infer.study.born STUDY.yaml RUNS -o FOLDER`` reads the trainings of a study of
models of kind ``born`` and writes ``results.json`` and ``nats.png``.
"""
