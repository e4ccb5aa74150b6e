"""Makes the helpers beside this file importable everywhere, and shares tests out to workers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
sys.path.append(str(TESTS))  # last: the folders here must shadow nothing

# What `pytest -n 2 --dist loadgroup --no-loadscope-reorder` starts with: minutes each, so that no
# worker is left alone with one of them at the end.
LONGEST_FIRST = ("cpp", "report", "training", "evaluation", "farm", "study", "serving")
# Their modules share fixtures of tens of seconds or more, which two workers would make twice.
ONE_WORKER = ("cpp", "report", "training", "study")


def _place(item: pytest.Item) -> tuple[str, ...]:
    return item.path.relative_to(TESTS).parts


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a module, or a folder, on one worker; long ones first."""
    for item in items:
        folder, *rest = _place(item)
        group = folder if folder in ONE_WORKER else "/".join((folder, *rest))
        item.add_marker(pytest.mark.xdist_group(group))
    ranks = {name: rank for rank, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: ranks.get(_place(item)[0], len(ranks)))
