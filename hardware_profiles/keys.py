"""The figures that a profile may hold: their keys, units, boundaries, plausible ranges and meanings."""

from typing import NamedTuple

from hardware_profiles.provenance import Boundary


class Key(NamedTuple):
    """The meaning of a key of a profile."""

    unit: str  # of the value in the file
    si: float  # factor to base units: hash/s, W, FLOP/s, byte, byte/s
    low: float  # smallest plausible value, so that an error by 1000 is refused
    high: float  # largest plausible value
    meaning: str
    boundary: Boundary | None = None  # at which the power is drawn, for a power or an energy


ASIC_POINT = {
    "hash_rate_th_s": Key("TH/s", 1e12, 0.01, 5000, "double SHA-256 rate of the whole device"),
    "wall_power_w": Key("W", 1, 0.5, 40_000, "power drawn from the supply, everything included", "wall"),
    "stated_j_per_th": Key(
        "J/TH", 1e-12, 1, 5000, "efficiency as the source states it; the computed one must agree", "wall"
    ),
}
ASIC_ENVIRONMENT = {
    "reference_temperature_c": Key("°C", 1, -40, 80, "ambient temperature at which the rated figures hold"),
    "ambient_min_c": Key("°C", 1, -60, 60, "lowest ambient (air) or coolant (hydro) temperature in operation"),
    "ambient_max_c": Key("°C", 1, -20, 80, "highest ambient (air) or coolant (hydro) temperature in operation"),
    "derate_above_c": Key("°C", 1, 0, 90, "ambient temperature above which the device slows down"),
    "stop_above_c": Key("°C", 1, 0, 100, "ambient temperature above which the device stops"),
    "noise_db": Key("dB", 1, 10, 120, "sound level as the maker states it"),
    "voltage_min_v": Key("V", 1, 3, 500, "lowest supply voltage"),
    "voltage_max_v": Key("V", 1, 3, 500, "highest supply voltage"),
}
GPU_FIGURES = {
    "tdp_w": Key("W", 1, 10, 5000, "thermal design power of the board or module", "board"),
    "power_limit_w": Key("W", 1, 10, 5000, "power limit that the board enforces as it is delivered", "board"),
    "server_power_w": Key("W", 1, 100, 100_000, "highest input power of the server it is sold in", "node"),
    "gpus_per_server": Key("GPUs", 1, 1, 64, "GPUs in that server"),
    "rack_power_w": Key("W", 1, 1000, 1_000_000, "highest input power of the rack it is sold in", "rack"),
    "gpus_per_rack": Key("GPUs", 1, 1, 1024, "GPUs in that rack"),
    "memory_gb": Key("GB", 1e9, 1, 4096, "device memory that software can use"),
    "memory_bandwidth_tb_s": Key("TB/s", 1e12, 0.01, 100, "peak bandwidth of the device memory"),
    "interconnect_gb_s": Key("GB/s", 1e9, 1, 20_000, "peak bandwidth to other GPUs, both directions together"),
    "gpus": Key("GPUs", 1, 1, 72, "GPUs within the device, where it is more than one"),
}
_TENSOR = "dense matrix products, {} in, peak of the data sheet"
GPU_PEAKS = {
    "fp64_tflop_s": Key("TFLOP/s", 1e12, 0.01, 1000, "float64 outside the tensor cores"),
    "fp64_dense_tflop_s": Key("TFLOP/s", 1e12, 0.01, 1000, _TENSOR.format("float64")),
    "fp32_tflop_s": Key("TFLOP/s", 1e12, 0.1, 2000, "float32 outside the tensor cores"),
    "tf32_dense_tflop_s": Key("TFLOP/s", 1e12, 1, 20_000, _TENSOR.format("TF32")),
    "fp16_dense_tflop_s": Key("TFLOP/s", 1e12, 1, 50_000, _TENSOR.format("float16")),
    "bf16_dense_tflop_s": Key("TFLOP/s", 1e12, 1, 50_000, _TENSOR.format("bfloat16")),
    "fp8_dense_tflop_s": Key("TFLOP/s", 1e12, 1, 100_000, _TENSOR.format("float8") + ", float32 accumulation"),
    "fp8_fp16acc_dense_tflop_s": Key("TFLOP/s", 1e12, 1, 100_000, _TENSOR.format("float8") + ", float16 accumulation"),
    "fp4_dense_tflop_s": Key("TFLOP/s", 1e12, 1, 200_000, _TENSOR.format("float4")),
    "int8_dense_top_s": Key("TOP/s", 1e12, 1, 100_000, _TENSOR.format("int8")),
}
GPU_SPARSE_PEAKS = {
    key.replace("_dense_", "_sparse_"): known._replace(
        high=2 * known.high, meaning=known.meaning.replace("dense matrix products", "with 2:4 sparsity")
    )
    for key, known in GPU_PEAKS.items()
    if "_dense_" in key
}
CPU_FIGURES = {
    "cores": Key("cores", 1, 1, 1024, "physical cores of one package"),
    "threads": Key("threads", 1, 1, 4096, "hardware threads of one package"),
    "base_clock_ghz": Key("GHz", 1e9, 0.2, 10, "guaranteed clock"),
    "boost_clock_ghz": Key("GHz", 1e9, 0.2, 12, "highest clock of one core"),
    "tdp_w": Key("W", 1, 1, 2000, "thermal design power of the package", "package"),
    "l3_cache_mb": Key("MB", 1e6, 0.1, 4096, "last-level cache of the package (MB as makers count: 2^20 byte)"),
    "memory_channels": Key("channels", 1, 1, 64, "memory channels of the package"),
    "memory_bandwidth_gb_s": Key("GB/s", 1e9, 1, 5000, "peak memory bandwidth of the package"),
}

SECTIONS: dict[str, dict[str, Key]] = {
    "asic bin": ASIC_POINT,
    "asic environment": ASIC_ENVIRONMENT,
    "gpu figures": GPU_FIGURES,
    "gpu peaks": GPU_PEAKS,
    "gpu sparse_peaks": GPU_SPARSE_PEAKS,
    "cpu figures": CPU_FIGURES,
}
FEATURES = (
    "sse4_2", "avx", "avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "avx_vnni",
    "amx_bf16", "amx_int8", "sha_ni", "asimd", "sha2", "sve", "sve2",
)  # fmt: skip
COOLINGS = ("air", "hydro", "immersion", "air or immersion")


def key_for(kind: str, key: str) -> Key:
    """Return the meaning of a key in profiles of a kind.

    Parameters
    ----------
    kind
        `asic`, `gpu` or `cpu`.
    key
        Name of a figure.

    Raises
    ------
    KeyError
        Profiles of this kind have no such key.
    """
    for section, keys in SECTIONS.items():
        if section.startswith(kind) and key in keys:
            return keys[key]
    raise KeyError(key)
