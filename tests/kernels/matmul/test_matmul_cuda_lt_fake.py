"""What is asked of cuBLASLt, on a fake of its bindings: descriptors, scales, algorithms, pointers."""

# ruff: noqa: N801, N815, PT012 (the names are the bindings'; each of three calls may refuse)

import enum
import sys
import types

import numpy as np
import pytest

from kernels.errors import KernelInputError
from kernels.gpu.device import GpuError
from kernels.matmul.cublaslt import Algorithm, LtProduct, check_capability
from kernels.matmul.formats import FORMATS

Desc = enum.IntEnum(
    "Desc", ["TRANSA", "FAST_ACCUM", "A_SCALE_POINTER", "B_SCALE_POINTER", "A_SCALE_MODE", "B_SCALE_MODE"]
)
Preference = enum.IntEnum("Preference", ["MAX_WORKSPACE_BYTES", "REDUCTION_SCHEME_MASK"])
Config = enum.IntEnum("Config", ["ID", "TILE_ID", "STAGES_ID", "CLUSTER_SHAPE_ID", "SPLITK_NUM"])
Named = enum.IntEnum("Named", ["NONE", "SOME"], start=0)
RESULT = np.dtype([("algo", [("data_", "<u8", (8,))]), ("workspace_size", "<u8"), ("state", "<i4")])


class cuBLASLtError(Exception):
    pass


class FakeLt(types.ModuleType):
    """Keeps what it is told, and answers as two algorithms would, the second one not available."""

    cuBLASLtError = cuBLASLtError
    MatmulDescAttribute, MatmulPreferenceAttribute, MatmulAlgoConfigAttribute = Desc, Preference, Config
    MatmulTile = MatmulStages = ClusterShape = Named
    MatmulMatrixScale = types.SimpleNamespace(VEC16_UE4M3=1)
    matmul_heuristic_result_dtype = RESULT

    def __init__(self):
        super().__init__("nvmath.bindings.cublasLt")
        self.set, self.layouts, self.open, self.launched = {}, [], 0, []
        self.refuse = ""

    def _made(self, *_):
        self.open += 1
        return self.open

    def _gone(self, _handle):
        self.open -= 1

    matmul_preference_create = _made
    matrix_layout_destroy = matmul_desc_destroy = matmul_preference_destroy = destroy = _gone

    def create(self):
        if self.refuse == "create":
            raise cuBLASLtError("the library was not initialized")
        if self.refuse == "memory":
            raise cuBLASLtError("resource allocation failed inside the cuBLAS library (CUBLAS_STATUS_ALLOC_FAILED).")
        return self._made()

    def matmul_desc_create(self, compute, scale):
        self.compute, self.scale = compute, scale
        return self._made()

    def matrix_layout_create(self, kind, rows, columns, stride):
        self.layouts.append((kind, rows, columns, stride))
        return self._made()

    def get_matmul_desc_attribute_dtype(self, attribute):
        return (
            np.int64 if attribute.name.endswith("POINTER") else np.int8 if attribute.name == "FAST_ACCUM" else np.int32
        )

    def get_matmul_algo_config_attribute_dtype(self, _attribute):
        return np.uint32

    def _keep(self, _target, attribute, pointer, size):
        import ctypes

        self.set[attribute.name] = int.from_bytes(ctypes.string_at(pointer, size), "little")

    matmul_desc_set_attribute = matmul_preference_set_attribute = _keep

    def matmul_algo_get_heuristic(self, _h, _desc, _a, _b, _c, _d, _preference, count, results, found):
        import ctypes

        if self.refuse == "heuristic":
            raise cuBLASLtError("not supported")
        rows = np.zeros(count, dtype=RESULT)
        rows["algo"]["data_"][:2] = [[7] * 8, [9] * 8]
        rows["state"][1] = 15
        ctypes.memmove(results, rows.ctypes.data, rows.nbytes)
        ctypes.memmove(found, np.array([2], dtype=np.int32).ctypes.data, 4)

    def matmul_algo_config_get_attribute(self, _code, attribute, buffer, size, _written):
        import ctypes

        if attribute is Config.STAGES_ID:
            raise cuBLASLtError("unknown attribute")
        value = {"ID": 66, "TILE_ID": 1, "CLUSTER_SHAPE_ID": 77, "SPLITK_NUM": 1}[attribute.name]
        ctypes.memmove(buffer, np.array([value], dtype=np.uint32).ctypes.data, size)

    def matmul(self, *arguments):
        if self.refuse == "matmul":
            raise cuBLASLtError("an algorithm that is not supported")
        self.launched.append(arguments)


class FakeCupy:
    uint8, float32 = np.uint8, np.float32

    def __init__(self):
        self.made = []

    def full(self, count, value, dtype):
        self.made.append((count, value, np.dtype(dtype).name))
        array = np.full(count, value, dtype)
        return types.SimpleNamespace(data=types.SimpleNamespace(ptr=array.ctypes.data), keep=array)

    def empty(self, count, dtype):
        return self.full(1, count, np.int64 if dtype is np.uint8 else dtype)


@pytest.fixture
def lt(monkeypatch):
    fake = FakeLt()
    compute = enum.IntEnum("ComputeType", {"COMPUTE_32F": 68, "COMPUTE_32F_FAST_TF32": 77, "COMPUTE_32I": 72})
    package, bindings = types.ModuleType("nvmath"), types.ModuleType("nvmath.bindings")
    bindings.cublasLt = fake
    bindings.cublas = types.SimpleNamespace(ComputeType=compute)
    package.bindings = bindings
    monkeypatch.setitem(sys.modules, "nvmath", package)
    monkeypatch.setitem(sys.modules, "nvmath.bindings", bindings)
    return fake


@pytest.mark.parametrize(
    ("name", "compute", "operand", "out"),
    [
        ("fp32", 68, 0, 0), ("tf32", 77, 0, 0), ("fp16", 68, 2, 2), ("bf16", 68, 14, 14), ("int8", 72, 3, 10),
        ("fp8", 68, 28, 14), ("fp4", 68, 33, 14),
    ],
)  # fmt: skip
def test_fake_cublaslt_is_told_types_and_columns_of_the_transposed_product(lt, name, compute, operand, out):
    with LtProduct(FakeCupy(), FORMATS[name], 32, 64, 128):
        assert lt.compute == compute
        assert lt.scale == (10 if name == "int8" else 0)
        assert lt.layouts == [(operand, 128, 64, 128), (operand, 128, 32, 128), (out, 64, 32, 64)]
        assert lt.set["TRANSA"] == 1
    assert lt.open == 0


def test_fake_cublaslt_is_given_the_scale_that_stored_fp8_stands_for(lt):
    cupy = FakeCupy()
    with LtProduct(cupy, FORMATS["fp8"], 32, 64, 128):
        assert (1, 1 / 448, "float32") in cupy.made
        assert lt.set["FAST_ACCUM"] == 1
        assert lt.set["A_SCALE_POINTER"] == lt.set["B_SCALE_POINTER"] > 0


def test_fake_cublaslt_is_given_a_scale_an_operand_and_a_workspace_that_products_share(lt):
    cupy, workspace = FakeCupy(), types.SimpleNamespace(data=types.SimpleNamespace(ptr=77))
    with LtProduct(cupy, FORMATS["fp8"], 32, 64, 128, scales=(0.5, 0.25), workspace=workspace) as product:
        assert [one[:2] for one in cupy.made] == [(1, 0.5), (1, 0.25)]
        pointers = [lt.set[f"{operand}_SCALE_POINTER"] for operand in "AB"]
        ours = {array.keep[0]: array.data.ptr for array in product._scales}
        assert pointers == [ours[0.25], ours[0.5]]  # cuBLAS's A is our B
        product.launch(1, 2, 3, Algorithm(0, "x", bytes(64)), 0)
    assert 77 in lt.launched[0]


def test_fake_cublaslt_is_given_block_scales_of_one_for_fp4(lt):
    cupy = FakeCupy()
    with LtProduct(cupy, FORMATS["fp4"], 32, 192, 128):
        assert lt.set["A_SCALE_MODE"] == lt.set["B_SCALE_MODE"] == 1
        # 128 columns are 8 blocks of 16; rows come in tiles of 128: 256 of B, 128 of A
        assert [one for one in cupy.made if one[2] == "uint8"] == [(256 * 8, 0x38, "uint8"), (128 * 8, 0x38, "uint8")]


def test_fake_cublaslt_algorithms_are_named_and_those_unavailable_left_out(lt):
    with LtProduct(FakeCupy(), FORMATS["bf16"], 32, 64, 128) as product:
        (only,) = product.algorithms(8)
        assert only.name == "id66 SOME stages_id=-1 cluster_shape_id=77 splitk=1"
        assert only.code == np.full(8, 7, dtype=np.uint64).tobytes()
        assert lt.set["REDUCTION_SCHEME_MASK"] == 3
        assert lt.set["MAX_WORKSPACE_BYTES"] == 64 << 20


def test_fake_cublaslt_gets_our_second_operand_first(lt):
    with LtProduct(FakeCupy(), FORMATS["bf16"], 32, 64, 128) as product:
        product.launch(111, 222, 333, Algorithm(0, "x", bytes(64)), stream=5)
    (arguments,) = lt.launched
    assert arguments[3] == 222
    assert arguments[5] == 111
    assert arguments[8] == arguments[10] == 333
    assert arguments[-1] == 5


@pytest.mark.parametrize("what", ["create", "heuristic", "matmul"])
def test_fake_cublaslt_that_refuses_says_so_on_one_line(lt, what):
    lt.refuse = what
    with (
        pytest.raises(GpuError, match="cuBLASLt") as error,
        LtProduct(FakeCupy(), FORMATS["bf16"], 32, 64, 128) as product,
    ):
        product.algorithms(4)
        product.launch(1, 2, 3, Algorithm(0, "x", bytes(64)), 0)
    assert "\n" not in str(error.value)
    assert lt.open == 0


def test_fake_cublaslt_without_memory_says_what_helps(lt):
    lt.refuse = "memory"
    with pytest.raises(GpuError, match=r"ALLOC_FAILED.*; end other programs on this GPU") as error:
        LtProduct(FakeCupy(), FORMATS["bf16"], 32, 64, 128)
    assert error.value.code == "out_of_memory"


def test_nvmath_that_is_missing_is_named_with_its_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, "nvmath", None)
    with pytest.raises(GpuError, match=r"nvmath-python is not installed .*pip install"):
        LtProduct(FakeCupy(), FORMATS["bf16"], 32, 64, 128)


def test_capability_older_than_a_format_needs_is_refused():
    check_capability(FORMATS["fp8"], (9, 0))
    check_capability(FORMATS["fp8"], None)
    with pytest.raises(KernelInputError, match=r"fp8: expected compute capability 8.9 or later, got 8.0"):
        check_capability(FORMATS["fp8"], (8, 0))
