"""Pictures and a page made of the figures.

``write_report`` makes one self-contained HTML page of one or more generated samples; importing
this package loads no matplotlib.
"""

from fastcaloq_infer.report.candidate import Candidate
from fastcaloq_infer.report.write import write_report

__all__ = ["Candidate", "write_report"]
