"""A measured register against classical invertible networks: quality per parameter, round trips.

After Rousselot and Spannowsky (SciPost Phys. 16, 146, 2024; arXiv:2302.12906), on Z -> l+ l- from
the formula and on layer energies. ``python -m fastcaloq_infer.study.univocal -o FOLDER`` trains all
and writes ``results.json`` and ``quality.png``.
"""
