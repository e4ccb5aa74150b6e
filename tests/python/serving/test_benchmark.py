"""The benchmark of the service runs, and its short load finds nothing wrong."""

from __future__ import annotations

from fastcaloq_infer.sampling.models import find


def test_a_short_load(tmp_path) -> None:
    import shutil

    from fastcaloq_infer.benchmark.serving import measure_serving

    model = tmp_path / "model.onnx"  # alone: no checkpoint beside it, so torch is not needed
    shutil.copy(find("photon"), model)
    steps: list[str] = []
    found = measure_serving(str(model), quick=True, say=steps.append)
    assert [step.split(" of ")[0] for step in steps[:3]] == [
        "batches with features served from model.onnx".split(" of ")[0], "200 requests/s for 3 s", "kill 1",
    ]  # fmt: skip
    load = found["load"]
    assert load["requests"] == 600
    assert load["malformed"] > 0
    assert (load["failures"], load["malformed_not_refused"]) == (0, 0)
    assert {(row["batch"], row["cache"]) for row in found["overhead"]} == {
        (256, False), (256, True), (10_000, True), (100_000, True),
    }  # fmt: skip
    assert all(row["own_ms"] > 0 and row["served_ms"] > 0 for row in found["overhead"])
