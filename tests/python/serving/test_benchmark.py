"""The benchmark of the service runs, and its short load finds nothing wrong."""

from __future__ import annotations

from fastcaloq_infer.sampling.models import find


def test_a_short_load(tmp_path) -> None:
    import shutil

    from fastcaloq_infer.benchmark.serving import measure_serving

    model = tmp_path / "model.onnx"  # alone: no checkpoint beside it, so torch is not needed
    shutil.copy(find("photon_energy"), model)
    steps: list[str] = []
    found = measure_serving(str(model), quick=True, say=steps.append)
    assert steps[0].startswith("batches with features served from model.onnx")
    assert steps[1:3] == ["200 requests/s for 3 s", "kill 1 of 2: the conditioner's server"]
    load = found["load"]
    assert load["requests"] == 600
    assert load["malformed"] > 0
    assert (load["failures"], load["malformed_not_refused"]) == (0, 0)
    assert {(row["batch"], row["cache"]) for row in found["overhead"]} == {
        (256, False), (256, True), (10_000, True), (100_000, True),
    }  # fmt: skip
    assert all(row["own_ms"] > 0 and row["served_ms"] > 0 for row in found["overhead"])
