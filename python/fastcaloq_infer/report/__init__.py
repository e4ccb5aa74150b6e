"""Pictures and a page made of the figures.

``write_report`` makes one self-contained HTML page; importing this package loads no matplotlib.
"""

from fastcaloq_infer.report.write import write_report

__all__ = ["write_report"]
