"""The laws of every transformation: round trip, log-det, gradients, save and load, extremes."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from fastcaloq_infer.flow.actnorm import ActNorm
from fastcaloq_infer.flow.affine import Affine
from fastcaloq_infer.flow.config import FlowConfig
from fastcaloq_infer.flow.coupling import Coupling, CouplingBlock, Subnet
from fastcaloq_infer.flow.kinds.statevector.config import StateVectorConfig
from fastcaloq_infer.flow.kinds.statevector.model import state_blocks
from fastcaloq_infer.flow.kinds.subnet.network import QuantumBlocks, QuantumSubnet
from fastcaloq_infer.flow.permutation import Permutation, coupling_permutations
from fastcaloq_infer.flow.spline import RationalQuadraticSpline
from fastcaloq_infer.flow.transform import Composition, Transform
from fastcaloq_infer.flow.univariate import Univariate
from fastcaloq_infer.quantum import Circuit

FEATURES, CONTEXT, BATCH = 5, 3, 40


def _coupling(univariate: Univariate, activation: str = "silu") -> Coupling:
    active = FEATURES - 2
    subnet = Subnet(2 + CONTEXT, (16, 16), active * univariate.n_parameters, activation)
    return Coupling(2, active, univariate, subnet)


def _quantum(univariate: Univariate, encoding: str = "angle_y") -> Coupling:
    active = FEATURES - 2
    circuit = Circuit(n_qubits=3, n_inputs=2 + CONTEXT, encoding=encoding)
    outputs = [size * active for size in univariate.groups]
    return Coupling(2, active, univariate, QuantumSubnet(circuit, 2, outputs, 3.0))


def _flow(univariate: Callable[[], Univariate]) -> Composition:
    permutations = coupling_permutations(FEATURES, 2, 4, seed=1)
    return Composition(CouplingBlock(p, _coupling(univariate())) for p in permutations)


def _states(n_blocks: int = 1, **quantum: object) -> Composition:
    config = StateVectorConfig(**quantum)
    flow = FlowConfig(n_blocks=n_blocks, hidden=(16,), permutation_seed=1)
    return state_blocks(config, flow, FEATURES, CONTEXT)


TRANSFORMS: dict[str, Callable[[], Transform]] = {
    "actnorm": lambda: ActNorm(FEATURES),
    "permutation": lambda: Permutation((3, 0, 4, 1, 2)),
    "affine coupling": lambda: _coupling(Affine()),
    "spline coupling": lambda: _coupling(RationalQuadraticSpline()),
    "spline coupling, two bins": lambda: _coupling(RationalQuadraticSpline(2, 3.0)),
    "spline coupling, many bins": lambda: _coupling(RationalQuadraticSpline(32, 10.0)),
    "affine quantum coupling": lambda: _quantum(Affine(), "iqp"),
    "spline quantum coupling": lambda: _quantum(RationalQuadraticSpline(4)),
    "affine flow": lambda: _flow(Affine),
    "spline flow": lambda: _flow(RationalQuadraticSpline),
    "quantum flow": lambda: QuantumBlocks(
        CouplingBlock(p, _quantum(RationalQuadraticSpline(4)))
        for p in coupling_permutations(FEATURES, 2, 3, seed=1)
    ),
    "state coupling": lambda: _states(),
    "state coupling, dilated, by a network": lambda: _states(dilation=True, angles="network"),
    "state flow of one qubit": lambda: _states(n_qubits=1, n_blocks=3, reuploading=False),
}


@pytest.fixture(params=TRANSFORMS, ids=lambda name: name.replace(" ", "-"))
def transform(request: pytest.FixtureRequest) -> Transform:
    """Every transformation, with parameters far from the identity."""
    torch.manual_seed(7)
    made = TRANSFORMS[request.param]().double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return made


@pytest.fixture
def x() -> Tensor:
    return 2.0 * torch.randn(
        BATCH, FEATURES, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )


@pytest.fixture
def context() -> Tensor:
    return torch.randn(
        BATCH, CONTEXT, dtype=torch.float64, generator=torch.Generator().manual_seed(2)
    )


def test_inverse_undoes_forward(transform: Transform, x: Tensor, context: Tensor) -> None:
    z, log_abs_det = transform(x, context)
    back, minus = transform.inverse(z, context)
    # Slopes up to 1e3 per block amplify the last bit: 1e-16 * 1e3 per block, four blocks.
    torch.testing.assert_close(back, x, atol=1e-10, rtol=0)
    torch.testing.assert_close(minus, -log_abs_det, atol=1e-9, rtol=0)


def test_forward_undoes_inverse(transform: Transform, x: Tensor, context: Tensor) -> None:
    back, log_abs_det = transform.inverse(x, context)
    z, minus = transform(back, context)
    torch.testing.assert_close(z, x, atol=1e-9, rtol=0)
    torch.testing.assert_close(minus, -log_abs_det, atol=1e-8, rtol=0)


def test_log_abs_det_is_that_of_the_jacobian(
    transform: Transform, x: Tensor, context: Tensor
) -> None:
    for method in (transform.forward, transform.inverse):
        _, log_abs_det = method(x, context)
        for i in range(4):
            jacobian = torch.autograd.functional.jacobian(
                lambda row, i=i, method=method: method(row[None], context[i : i + 1])[0][0], x[i]
            )
            expected = torch.linalg.slogdet(jacobian).logabsdet
            torch.testing.assert_close(log_abs_det[i], expected, atol=1e-9, rtol=0)


def test_gradients_are_those_of_finite_differences(
    transform: Transform, x: Tensor, context: Tensor
) -> None:
    inputs = (x[:3].clone().requires_grad_(), context[:3].clone().requires_grad_())
    assert torch.autograd.gradcheck(transform, inputs, eps=1e-7, atol=1e-4, rtol=1e-4)


def test_every_parameter_gets_a_gradient(transform: Transform, x: Tensor, context: Tensor) -> None:
    z, log_abs_det = transform(x.requires_grad_(), context)
    (0.5 * z.square().sum() - log_abs_det.sum()).backward()
    for name, parameter in transform.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name


def test_saved_and_loaded_is_the_same(transform: Transform, x: Tensor, context: Tensor) -> None:
    stream = io.BytesIO()
    torch.save(transform.state_dict(), stream)
    stream.seek(0)
    expected, _ = transform(x, context)
    with torch.no_grad():
        for parameter in transform.parameters():
            parameter.zero_()
    transform.load_state_dict(torch.load(stream))
    z, _ = transform(x, context)
    assert torch.equal(z, expected)


@pytest.mark.parametrize("magnitude", [0.0, 1e-30, 5.999999, 6.0, 50.0, 1e6])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_extreme_inputs_stay_finite(
    transform: Transform, magnitude: float, dtype: torch.dtype, context: Tensor
) -> None:
    transform = transform.to(dtype)
    signs = torch.tensor([1.0, -1.0] * BATCH)[:BATCH, None].to(dtype)
    x = (magnitude * signs).expand(BATCH, FEATURES).clone().requires_grad_()
    for method in (transform.forward, transform.inverse):
        y, log_abs_det = method(x, context.to(dtype))
        (gradient,) = torch.autograd.grad(y.sum() + log_abs_det.sum(), x)
        for value in (y, log_abs_det, gradient):
            assert torch.isfinite(value).all()


def test_float32_agrees_with_float64(transform: Transform, x: Tensor, context: Tensor) -> None:
    z, log_abs_det = transform(x, context)
    z_single, log_abs_det_single = transform.float()(x.float(), context.float())
    # 6e-8 per operation, slopes up to 1e3, four blocks: 2e-3 covers the worst element.
    torch.testing.assert_close(z_single.double(), z, atol=2e-3, rtol=1e-4)
    torch.testing.assert_close(log_abs_det_single.double(), log_abs_det, atol=2e-2, rtol=1e-4)


def test_zero_parameters_are_the_identity() -> None:
    x = torch.linspace(-8, 8, 60, dtype=torch.float64).reshape(20, 3)
    for univariate in (Affine(), RationalQuadraticSpline()):
        parameters = torch.zeros(20, univariate.n_parameters, 3, dtype=torch.float64)
        y, log_slope = univariate.forward(x, parameters)
        torch.testing.assert_close(y, x, atol=1e-12, rtol=0)
        torch.testing.assert_close(log_slope, torch.zeros_like(x), atol=1e-12, rtol=0)


def test_spline_is_increasing_and_meets_its_tails() -> None:
    spline = RationalQuadraticSpline(bins=5, tail_bound=2.0)
    random = torch.Generator().manual_seed(3)
    parameters = torch.randn(1, spline.n_parameters, 1, dtype=torch.float64, generator=random)
    x = torch.linspace(-2.5, 2.5, 5001, dtype=torch.float64)[:, None]
    y, log_slope = spline.forward(x, (3.0 * parameters).expand(len(x), -1, -1))
    assert (y.diff(dim=0) > 0).all()
    outside = x.abs() >= 2.0
    assert torch.equal(y[outside], x[outside])
    step = (x[1] - x[0]).item()
    assert y.diff(dim=0).max() < 1.01 * step * log_slope.exp().max()  # no jump at a knot


def test_every_coordinate_is_transformed_in_two_blocks() -> None:
    for features in (2, 3, 5, 7, 45):
        passive = features // 2
        for seed in range(3):
            permutations = coupling_permutations(features, passive, 6, seed)
            origin = list(range(features))
            was_passive: set[int] = set()
            for permutation in permutations:
                assert sorted(permutation) == list(range(features))
                origin = [origin[j] for j in permutation]
                assert not was_passive & set(origin[:passive])
                was_passive = set(origin[:passive])


def test_actnorm_normalises_the_batch_it_was_given() -> None:
    x = torch.randn(500, 3, dtype=torch.float64) * torch.tensor([3.0, 0.1, 0.0]) + 5.0
    norm = ActNorm(3).double()
    norm.initialise(x)
    z, _ = norm(x, x[:, :0])
    torch.testing.assert_close(z.mean(0), torch.zeros(3, dtype=torch.float64), atol=1e-9, rtol=0)
    expected = torch.tensor([1.0, 1.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(z.std(0), expected, atol=1e-9, rtol=0)
