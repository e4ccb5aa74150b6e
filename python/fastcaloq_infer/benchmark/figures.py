"""The figures that decide, out of what was measured, with the targets they are held to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Figure:
    """One number against its target; ``target`` None: for information."""

    name: str
    value: float
    unit: str = ""
    target: float | None = None
    relation: Literal["at least", "at most", ""] = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.target is None:
            return None
        return (
            self.value >= self.target if self.relation == "at least" else self.value <= self.target
        )


def figures(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the figures that the measured sections of a report allow, in a fixed order."""
    found = [
        *_ratios(report),
        *_floor(report),
        *_showers(report),
        *_load(report),
        *_root(report),
        *_quantum(report),
        *_farm(report),
        *_serving(report),
    ]
    return [asdict(figure) | {"met": figure.met} for figure in found]


def _rate(report: dict[str, Any], engine: str, batch: int, threads: int) -> float | None:
    for row in report.get("throughput", ()):
        if (row["engine"], row["batch"], row["threads"]) == (engine, batch, threads):
            return float(row["showers_per_second"])
    return None


def _ratios(report: dict[str, Any]) -> list[Figure]:
    found = []
    targets = {1: 20.0, 100: None, 10_000: 4.0}
    for other in ("onnxruntime", "torch"):
        for batch, target in targets.items():
            ours, theirs = (_rate(report, name, batch, 1) for name in ("native", other))
            if ours is None or theirs is None:
                continue
            wanted = target if other == "onnxruntime" else None
            found.append(
                Figure(
                    f"native / {other}, batch {batch:,}, one thread",
                    ours / theirs,
                    "times",
                    wanted,
                    "at least" if wanted else "",
                )
            )
    return found


def _floor(report: dict[str, Any]) -> list[Figure]:
    """Time per shower over the time of the flow's products at the best sgemm rate, one thread."""
    found = []
    work = 2e-9 * report["model"].get("multiply_adds_per_shower", 0)  # Gflop per shower
    cores = report["machine"]["cores"]
    for threads in sorted({1, cores}):
        rates = [row["gflops"] for row in report.get("sgemm", ()) if row["threads"] == threads]
        ours = _rate(report, "native", 10_000, threads)
        if not rates or ours is None:
            continue
        label = "one thread" if threads == 1 else f"{threads} threads"
        target = 4.0 if threads == 1 else None
        found += [
            Figure(
                f"native over the GEMM floor, batch 10,000, {label}",
                max(rates) / (work * ours),
                "times",
                target,
                "at most" if target else "",
            ),
            Figure(f"best sgemm rate, {label}", max(rates), "GFLOP/s"),
        ]
    return found


def _showers(report: dict[str, Any]) -> list[Figure]:
    """Whole showers against ONNX Runtime, against the floors, and with more threads."""
    if "showers" not in report:
        return []
    part = report["showers"]
    found = []
    ours = {batch: _rate(part, "native", batch, 1) for batch in (1, 256)}
    for batch, target in ((1, 2.0), (256, 2.5)):
        theirs = _rate(part, "onnxruntime", batch, 1)
        if (rate := ours[batch]) is not None and theirs is not None:
            label = f"whole showers: native / onnxruntime, batch {batch}, one thread"
            found.append(Figure(label, rate / theirs, "times", target, "at least"))
    sgemm = [row["gflops"] for row in part["sgemm"] if row["threads"] == 1]
    if (rate := ours[256]) is not None and sgemm:
        floor = 2e-9 * part["multiply_adds_per_shower"] / max(sgemm)
        label = "whole showers: native over the GEMM floor, batch 256, one thread"
        found.append(Figure(label, 1 / (rate * floor), "times", 1.8, "at most"))
    streams = [row["seconds"] for row in part["streams"] if row["threads"] == 1]
    if (rate := ours[1]) is not None and streams:
        label = "whole showers: one shower over the time to stream the weights"
        found.append(Figure(label, 1 / (rate * min(streams)), "times", 1.8, "at most"))
        speed = part["weight_bytes"] / min(streams) / 1e9
        found.append(Figure("fastest stream of the weights, one thread", speed, "GB/s"))
    cores = report["machine"]["cores"]
    one, all_ = (_rate(part, "native", 4096, threads) for threads in (1, cores))
    if cores > 1 and one is not None and all_ is not None:
        found.append(Figure(f"whole showers: {cores} threads / one thread", all_ / one, "times"))
    cost = 2e-6 * part["multiply_adds_per_shower"]
    found.append(Figure("whole showers: cost of one", cost, "MFLOP", 12.0, "at most"))
    if part["disagreement"] is not None:
        label = "whole showers in which onnxruntime draws another voxel"
        found.append(Figure(label, part["disagreement"], "of all"))
    return found


def _load(report: dict[str, Any]) -> list[Figure]:
    if "load" not in report:
        return []
    return [Figure("model load in C++", report["load"]["model_ms"], "ms", 20.0, "at most")]


def _root(report: dict[str, Any]) -> list[Figure]:
    if "root" not in report:
        return []
    root = report["root"]
    share = root["writing_seconds"] / root["total_seconds"]
    writing = Figure("of which writing", share, "of the time", 0.5, "at most")
    if root.get("voxels"):
        seconds = 100_000 / root["showers"] * root["total_seconds"]
        return [Figure("100,000 whole showers to ROOT", seconds, "s"), writing]
    seconds = 1_000_000 / root["showers"] * root["total_seconds"]
    return [Figure("1,000,000 showers to ROOT", seconds, "s", 10.0, "at most"), writing]


def _quantum(report: dict[str, Any]) -> list[Figure]:
    """Speed-up of the circuit by name of the case; the sections of trainings bring their own."""
    targets = {"6 qubits, 2 layers": 20.0, "6 qubits, 6 layers": 30.0}
    found = []
    for name, case in report.get("conditioner", {}).get("cases", {}).items():
        target = targets.get(name)
        relation: Literal["at least", ""] = "" if target is None else "at least"
        label = f"circuit, {name}: default.qubit / contracted"
        found.append(Figure(label, case["speedup"], "times", target, relation))
    own = [
        row for name in ("training", "subnet") for row in report.get(name, {}).get("figures", ())
    ]
    return found + [Figure(**row) for row in own]


def _farm(report: dict[str, Any]) -> list[Figure]:
    if "farm" not in report:
        return []
    farm = report["farm"]
    faults = farm["faults"]
    speedup = farm["alone_seconds"] / farm["workers_seconds"]
    return [
        Figure("two Dask workers / one process", speedup, "times", 1.7, "at least"),
        Figure("start of the workers", farm["start_seconds"], "s"),
        Figure("processes killed in productions", faults["kills"]),
        *(
            Figure(f"{what} after the kills", faults[key], "", 0.0, "at most")
            for what, key in (
                ("showers lost", "lost"),
                ("showers twice", "duplicated"),
                ("showers changed", "changed"),
                ("corrupt parts", "corrupt"),
            )
        ),
    ]


def _serving(report: dict[str, Any]) -> list[Figure]:
    if "serving" not in report:
        return []
    found = []
    for row in report["serving"]["overhead"]:
        label = f"batch {row['batch']:,}, {row['energies']} energies, {row['source']}"
        added = row["served_ms"] - row["own_ms"]
        if row["cache"]:
            share = added / row["own_ms"]
            found.append(
                Figure(f"served, remembered: {label}", share, "of sampling", 0.05, "at most")
            )
        else:
            found.append(Figure(f"served, asked: {label}", added, "ms more", 2.0, "at most"))
    load, kills = report["serving"]["load"], report["serving"]["kills"]
    rate = load["requests"] / load["seconds"]
    growth = load["memory_mib_end"] - load["memory_mib_early"]
    return [
        *found,
        Figure(f"failures of {load['requests']:,} requests", load["failures"], "", 0.0, "at most"),
        Figure("malformed ones not refused", load["malformed_not_refused"], "", 0.0, "at most"),
        Figure(f"p99 at {rate:.0f} requests/s", load["p99_ms_since_due"], "ms"),
        Figure("growth of the server's memory under load", growth, "MiB", 5.0, "at most"),
        Figure("servers killed in productions", kills["kills"]),
        Figure("files left by productions that failed", kills["left"], "", 0.0, "at most"),
        Figure("showers changed in what followed", kills["changed"], "", 0.0, "at most"),
    ]
