"""The verb ``fastcaloq serve``: a model's conditioner as a service."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import Annotated

import typer

from fastcaloq_infer.serving.settings import GRPC_PORT, LOOPBACK, REST_PORT, Limits, ServerSettings

_DEFAULT = Limits()


def serve(
    model: Annotated[
        str,
        typer.Argument(
            help="Shipped model, .onnx file, run folder, model.safetensors or checkpoint.pt."
        ),
    ],
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0: every network of this machine.")
    ] = LOOPBACK,
    port: Annotated[int, typer.Option(help="Port of REST; 0: any that is free.")] = REST_PORT,
    grpc_port: Annotated[int, typer.Option(help="Port of gRPC; 0: any that is free.")] = GRPC_PORT,
    grpc: Annotated[bool, typer.Option(help="Whether to answer gRPC as well.")] = True,
    device: Annotated[
        str | None,
        typer.Option(help="Run the circuit on this PennyLane device; default: the exact layer."),
    ] = None,
    shots: Annotated[
        int | None, typer.Option(help="Measurements per feature; default: exact values.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the device's random numbers.")] = 0,
    token_file: Annotated[
        Path | None, typer.Option(help="File with one token per line: who may ask.")
    ] = None,
    tls_certificate: Annotated[
        Path | None, typer.Option(help="Certificate (chain) of this server, PEM.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key, PEM.")] = None,
    max_bytes: Annotated[
        int, typer.Option(help="Largest request in bytes.")
    ] = _DEFAULT.request_bytes,
    max_rows: Annotated[
        int, typer.Option(help="Most rows of a request, and of a batch.")
    ] = _DEFAULT.batch_rows,
    max_pending: Annotated[
        int, typer.Option(help="Most requests accepted at a time; the rest is told to come again.")
    ] = _DEFAULT.pending,
    max_seconds: Annotated[
        float, typer.Option(help="Longest time from a request to its answer.")
    ] = _DEFAULT.request_seconds,
) -> None:
    """Serve the conditioner of MODEL by the Open Inference Protocol (KServe v2).

    REST with binary tensors and gRPC, so that the clients of Triton can ask it. SIGTERM stops it
    after the answers to all requests that it has accepted.
    """
    import logging
    import sys

    from fastcaloq_infer.errors import ConfigError
    from fastcaloq_infer.serving.source import Device, open_source

    try:
        from fastcaloq_infer.serving.server import Server
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"a server needs the package {error.name}, which is not installed: "
            "pip install 'fastcaloq-infer[serve]'"
        ) from None

    if shots is not None and device is None:
        raise ConfigError(
            "--shots are measurements on a device, and the exact layer takes none: give --device, "
            "such as default.qubit"
        )
    if not 0 <= seed < 2**64:
        raise ConfigError(f"--seed {seed} is no number from 0 to 2^64 - 1")
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s"
    )
    log = logging.getLogger("fastcaloq.serve")
    log.setLevel(logging.INFO)
    settings = ServerSettings(
        host, port, grpc_port if grpc else None, token_file, tls_certificate, tls_key
    )
    limits = Limits(
        request_bytes=max_bytes,
        batch_rows=max_rows,
        pending=max_pending,
        request_seconds=max_seconds,
    )
    source = open_source(model, None if device is None else Device(device, shots, seed))
    server = Server(source, settings, limits)

    def started() -> None:
        typer.echo(
            f"serving {source.name} version {source.version} ({source.n_features} features, "
            f"{source.description})"
        )
        typer.echo(f"REST {server.url}")
        if server.grpc_address is not None:
            typer.echo(f"gRPC {server.grpc_address}")
        sys.stdout.flush()
        if token_file is None and not server.is_local:
            log.warning("everybody who reaches %s may ask: no --token-file was given", server.url)

    server.run(started, signals=True)
