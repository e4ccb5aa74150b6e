"""What a report says about the model."""

from typing import get_args

from fastcaloq_infer.conditioning import QuantumConfig
from fastcaloq_infer.report.model_facts import CONDITIONERS


def test_every_kind_of_conditioner_has_a_name():
    assert set(CONDITIONERS) == set(get_args(QuantumConfig.model_fields["kind"].annotation))
