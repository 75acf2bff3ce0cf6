"""Matrix products through cuBLASLt with nvmath-python's bindings: its algorithms, and launches on raw pointers.

References
----------
cuBLAS library documentation, section "Using the cuBLASLt API": cublasLtMatmul, cublasLtMatmulAlgoGetHeuristic, and the
requirements of the 8-bit and 4-bit kernels (A transposed, B not; 16-byte alignment).
"""

import contextlib
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from kernels.errors import KernelInputError
from kernels.gpu.device import GpuError, explained
from kernels.matmul.formats import Format, check_shape

WORKSPACE_BYTES = 64 << 20
ONE_UE4M3 = 0x38
"""The block scale 1.0 of fp4 products."""

# Codes of cudaDataType_t and of the reductions (library_types.h, cublasLt.h).
_TYPES = {"fp32": 0, "tf32": 0, "fp16": 2, "bf16": 14, "int8": 3, "int32": 10, "fp8": 28, "fp4": 33}
_OP_T = 1
_REDUCE_IN_PLACE, _REDUCE_IN_COMPUTE_TYPE = 1, 2


@dataclass(frozen=True)
class Algorithm:
    """One algorithm that cuBLASLt offers for a product."""

    rank: int  # in the heuristic's order
    name: str
    code: bytes  # cuBLASLt's own


class LtProduct:
    """The product D = A Bᵀ of one shape and format on the current GPU; close it, or use it in a `with`.

    Parameters
    ----------
    cupy
        The module CuPy with the GPU current.
    form
        Format of the operands and the result.
    m, n, k
        Lengths: A is [m, k], B is [n, k], D is [m, n].
    scales
        Numbers that stored values of A and of B are multiplied by in fp8; None takes the format's own.
    workspace
        Device array of WORKSPACE_BYTES, which products on one stream may share; None allocates one.

    Raises
    ------
    KernelInputError
        The format cannot have this shape.
    GpuError
        nvmath-python or cuBLAS is missing, or the GPU refuses the product.
    """

    def __init__(  # noqa: PLR0913 (a product's format and shape)
        self,
        cupy: Any,
        form: Format,
        m: int,
        n: int,
        k: int,
        *,
        scales: tuple[float, float] | None = None,
        workspace: Any = None,
    ) -> None:
        check_shape(form, m, n, k)
        self.form, self.m, self.n, self.k = form, m, n, k
        self._cupy = cupy
        self._lt, cublas = _bindings()
        integer = form.name == "int8"
        self._alpha = np.ones(1, dtype=np.int32 if integer else np.float32)
        self._beta = np.zeros_like(self._alpha)
        compute = {"tf32": "COMPUTE_32F_FAST_TF32", "int8": "COMPUTE_32I"}.get(form.name, "COMPUTE_32F")
        self._open = contextlib.ExitStack()
        self._desc = 0
        self._layouts: tuple[int, int, int] = (0, 0, 0)
        try:
            with explained():
                self._describe(int(cublas.ComputeType[compute]), _TYPES["int32" if integer else "fp32"])
                self._handle = self._lt.create()
                self._open.callback(self._lt.destroy, self._handle)
                self._workspace = cupy.empty(WORKSPACE_BYTES, dtype=cupy.uint8) if workspace is None else workspace
                self._set_scales(scales or (form.scale, form.scale))
        except Exception as error:
            self._open.close()
            if type(error).__name__ == "cuBLASLtError":
                code = "out_of_memory" if "ALLOC_FAILED" in str(error) else "failed"
                raise GpuError(code, f"cuBLASLt: {error}") from None
            raise

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Release descriptors and workspace; may be called twice."""
        self._open.close()
        self._workspace = None

    def algorithms(self, count: int = 32) -> list[Algorithm]:
        """Return up to `count` algorithms in the order of cuBLASLt's heuristic.

        Raises
        ------
        GpuError
            cuBLASLt has no algorithm for this format and shape on this GPU.
        """
        lt = self._lt
        preference = lt.matmul_preference_create()
        try:
            keys = lt.MatmulPreferenceAttribute
            self._set(
                lt.matmul_preference_set_attribute, preference, keys.MAX_WORKSPACE_BYTES, np.uint64, WORKSPACE_BYTES
            )
            mask = _REDUCE_IN_PLACE | _REDUCE_IN_COMPUTE_TYPE  # never through the narrow output format
            self._set(lt.matmul_preference_set_attribute, preference, keys.REDUCTION_SCHEME_MASK, np.uint32, mask)
            results = np.zeros(count, dtype=lt.matmul_heuristic_result_dtype)
            returned = np.zeros(1, dtype=np.int32)
            a, b, d = self._layouts
            try:
                lt.matmul_algo_get_heuristic(
                    self._handle, self._desc, a, b, d, d, preference, count, results.ctypes.data, returned.ctypes.data
                )
            except lt.cuBLASLtError as error:
                raise GpuError("failed", f"cuBLASLt has no {self.form.name} product for this GPU: {error}") from None
        finally:
            lt.matmul_preference_destroy(preference)
        return [self._algorithm(rank, row) for rank, row in enumerate(results[: int(returned[0])]) if row["state"] == 0]

    def launch(self, a: int, b: int, d: int, algorithm: Algorithm, stream: int) -> None:
        """Queue the product of device pointers `a` [m, k] and `b` [n, k] into `d` [m, n] on a stream.

        Raises
        ------
        GpuError
            cuBLASLt refuses the algorithm, or the GPU fails.
        """
        code = np.frombuffer(algorithm.code, dtype=np.uint8)
        layout_b, layout_a, layout_d = self._layouts
        try:
            self._lt.matmul(
                self._handle, self._desc, self._alpha.ctypes.data, b, layout_b, a, layout_a, self._beta.ctypes.data,
                d, layout_d, d, layout_d, code.ctypes.data, self._workspace.data.ptr, WORKSPACE_BYTES, stream,
            )  # fmt: skip
        except self._lt.cuBLASLtError as error:
            raise GpuError("failed", f"cuBLASLt, algorithm {algorithm.name}: {error}") from None

    def _describe(self, compute: int, scale_type: int) -> None:
        """Describe the product column by column, as cuBLAS does: Dᵀ = B Aᵀ, whose first operand is our B transposed."""
        lt, form = self._lt, self.form
        self._desc = lt.matmul_desc_create(compute, scale_type)
        self._open.callback(lt.matmul_desc_destroy, self._desc)
        self._describe_operation("TRANSA", _OP_T)
        if form.name == "fp8":
            self._describe_operation("FAST_ACCUM", 1)
        operand, out = _TYPES[form.name], _TYPES[form.out]
        layouts = []
        for type_, rows, columns in (
            (operand, self.k, self.n), (operand, self.k, self.m), (out, self.n, self.m)
        ):  # fmt: skip
            layouts.append(lt.matrix_layout_create(type_, rows, columns, rows))
            self._open.callback(lt.matrix_layout_destroy, layouts[-1])
        self._layouts = (layouts[0], layouts[1], layouts[2])

    def _describe_operation(self, key: str, value: int) -> None:
        attribute = self._lt.MatmulDescAttribute[key]
        dtype = self._lt.get_matmul_desc_attribute_dtype(attribute)
        self._set(self._lt.matmul_desc_set_attribute, self._desc, attribute, dtype, value)

    def _set_scales(self, scales: tuple[float, float]) -> None:
        """Set the scales of stored values: one number for fp8, ones for the blocks of fp4."""
        cp, form = self._cupy, self.form
        if form.name == "fp8":
            arrays = {scale: cp.full(1, scale, dtype=cp.float32) for scale in scales}
            self._scales = [arrays[scale] for scale in reversed(scales)]  # cuBLAS's A is our B
        elif form.name == "fp4":
            mode = int(self._lt.MatmulMatrixScale.VEC16_UE4M3)
            self._describe_operation("A_SCALE_MODE", mode)
            self._describe_operation("B_SCALE_MODE", mode)
            columns = -(-self.k // 64) * 4  # scales are stored in tiles of 128 rows by 4 blocks of 16
            self._scales = [
                cp.full(-(-rows // 128) * 128 * columns, ONE_UE4M3, dtype=cp.uint8) for rows in (self.n, self.m)
            ]
        else:
            return
        self._describe_operation("A_SCALE_POINTER", self._scales[0].data.ptr)
        self._describe_operation("B_SCALE_POINTER", self._scales[1].data.ptr)

    def _algorithm(self, rank: int, row: Any) -> Algorithm:
        code = np.frombuffer(np.ascontiguousarray(row["algo"]).tobytes(), dtype=np.uint8).copy()
        return Algorithm(rank, self._name(code.ctypes.data), code.tobytes())

    def _name(self, code: int) -> str:
        lt = self._lt

        def read(key: str) -> int:
            attribute = lt.MatmulAlgoConfigAttribute[key]
            value = np.zeros(1, dtype=lt.get_matmul_algo_config_attribute_dtype(attribute))
            written = np.zeros(1, dtype=np.uint64)
            try:
                lt.matmul_algo_config_get_attribute(
                    code, attribute, value.ctypes.data, value.itemsize, written.ctypes.data
                )
            except lt.cuBLASLtError:
                return -1
            return int(value[0])

        def named(kind: Any, key: str) -> str:
            value = read(key)
            try:
                return str(kind(value).name)
            except ValueError:
                return f"{key.lower()}={value}"

        return (
            f"id{read('ID')} {named(lt.MatmulTile, 'TILE_ID')} {named(lt.MatmulStages, 'STAGES_ID')} "
            f"{named(lt.ClusterShape, 'CLUSTER_SHAPE_ID')} splitk={read('SPLITK_NUM')}"
        )

    @staticmethod
    def _set(function: Any, target: int, attribute: Any, dtype: Any, value: int) -> None:
        box = np.array([value], dtype=dtype)
        function(target, attribute, box.ctypes.data, box.itemsize)


def _bindings() -> tuple[Any, Any]:
    try:
        from nvmath.bindings import cublas, cublasLt
    except ImportError as error:
        raise GpuError("no_nvmath", f"nvmath-python is not installed ({error})") from None
    except RuntimeError as error:  # raised by nvmath-python for a missing library
        raise GpuError("no_nvmath", f"nvmath-python does not load: {error}") from None
    return cublasLt, cublas


def check_capability(form: Format, capability: tuple[int, int] | None) -> None:
    """Check that a GPU has a format.

    Raises
    ------
    KernelInputError
        The compute capability is older than the format needs.
    """
    if capability is not None and capability < form.oldest:
        needed = ".".join(map(str, form.oldest))
        got = ".".join(map(str, capability))
        raise KernelInputError(f"dtype {form.name}: expected compute capability {needed} or later, got {got}")
