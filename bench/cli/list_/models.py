"""`perwatt list models`: the language models with known shapes, and their sizes."""

import click

from bench.cli.commands import examples
from bench.cli.options import json_option
from bench.cli.output import emit_json, plain
from bench.cli.table import print_table


@click.command(epilog=examples("perwatt list models", "perwatt list models --json"))
@json_option
def models(as_json: bool) -> None:
    """List the models that `perwatt run llm` accepts, with sizes counted from their shapes."""
    from kernels.llm.counts import active_parameters, linear_flop_per_token
    from kernels.llm.shapes import load, mtp_parameter_count, names, parameter_count

    shapes = [load(name) for name in names()]
    if as_json:
        emit_json(
            [
                {
                    "model": shape.name,
                    "title": shape.title,
                    "parameters": parameter_count(shape),
                    "active_parameters": active_parameters(shape),
                    "layers": shape.layers,
                    "hidden": shape.hidden,
                    "heads": shape.heads,
                    "kv_heads": shape.kv_heads,
                    "head_size": shape.head_size,
                    "experts": shape.experts,
                    "active_experts": shape.active_experts,
                    "attention_layers": shape.attention_blocks,
                    "recurrent_layers": shape.recurrent_layers,
                    "mtp_layers": shape.mtp_layers,
                    "mtp_parameters": mtp_parameter_count(shape),
                    "vocabulary": shape.vocabulary,
                    "context": shape.context,
                    "kv_bytes_per_token_bf16": shape.kv_bytes_per_token_bf16,
                    "linear_flop_per_token": linear_flop_per_token(shape),
                    "confidence": shape.confidence,
                    "sources": [
                        {
                            "title": source.title,
                            "address": source.address,
                            "read": source.read,
                            "printed": source.printed,
                        }
                        for source in shape.sources.values()
                    ],
                }
                for shape in shapes
            ]
        )
        return
    rows = [
        (
            shape.name,
            plain(parameter_count(shape) / 1e9),
            plain(active_parameters(shape) / 1e9),
            f"{shape.layers} x {shape.hidden}",
            f"{shape.heads} / "
            + (f"{shape.kv_heads} x {shape.head_size}" if shape.latent is None else f"latent {shape.cached}"),
            f"{shape.active_experts} of {shape.experts}" if shape.is_moe else "-",
            f"{shape.kv_bytes_per_token_bf16 / 1024:.0f} KiB",
            shape.context,
        )
        for shape in shapes
    ]
    columns = ["model", "10^9 weights", "active", "layers", "heads / KV", "experts", "KV per token (bf16)", "context"]
    print_table(columns, rows, right=(1, 2, 6, 7))
