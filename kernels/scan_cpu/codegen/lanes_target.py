"""A graph target for LLVM: a word of the nonce is a scalar or a vector of lanes, a word of the job is a scalar."""

from typing import Any

from llvmlite import ir

from kernels.sha256.graph import Time

I32 = ir.IntType(32)

# Truth tables of vpternlogd, index = 4x + 2y + z.
_TERNARY_TABLES = {"xor3": 0x96, "ch": 0xCA, "maj": 0xE8}


def declare(builder: ir.IRBuilder, name: str, result: ir.Type, arguments: list[ir.Type]) -> ir.Function:
    """Return the module's declaration of an LLVM intrinsic, which is added if missing."""
    declared = builder.module.globals.get(name)
    return declared or ir.Function(builder.module, ir.FunctionType(result, arguments), name)


class LaneTarget:
    """A target that emits the operations of a graph through an LLVM builder.

    Parameters
    ----------
    builder
        Builder of both the job's and the nonce's operations: LLVM moves those of the job out of the loop.
    lanes
        Nonces at a time; 1 gives scalars.
    inputs
        LLVM values of the inputs by name: i32 for the job's, a vector of `lanes` for the nonce's.
    ternary
        Whether to use AVX-512's three-way logic, for 8 and 16 lanes only.
    """

    def __init__(
        self, builder: ir.IRBuilder, lanes: int, inputs: dict[str, ir.Value], *, ternary: bool = False
    ) -> None:
        self.builder = builder
        self.lanes = lanes
        self.word = ir.VectorType(I32, lanes) if lanes > 1 else I32
        self._inputs = inputs
        self._ternary = ternary
        self._broadcasts: dict[Any, ir.Value] = {}

    def input(self, name: str) -> ir.Value:
        """Return the LLVM value of an input."""
        return self._inputs[name]

    def constant(self, value: int) -> ir.Constant:
        """Return a scalar constant."""
        return ir.Constant(I32, value)

    def apply(self, operation: str, time: Time, arguments: list[Any], immediate: int) -> ir.Value:
        """Emit one operation, on scalars for the job and on vectors for the nonce."""
        if time is Time.NONCE:
            arguments = [self.broadcast(argument) for argument in arguments]
        if self._ternary and time is Time.NONCE and operation in _TERNARY_TABLES:
            return self._three_way(_TERNARY_TABLES[operation], arguments)
        return getattr(self, operation)(*arguments, *([immediate] if operation in {"rotr", "shr"} else []))

    def broadcast(self, value: ir.Value) -> ir.Value:
        """Return a vector with a scalar in every lane, or the vector itself."""
        if value.type == self.word:
            return value
        if isinstance(value, ir.Constant):
            return ir.Constant(self.word, [value.constant] * self.lanes)
        if value not in self._broadcasts:
            single = ir.VectorType(I32, self.lanes)(ir.Undefined)
            single = self.builder.insert_element(single, value, I32(0))
            everywhere = ir.Constant(ir.VectorType(I32, self.lanes), [0] * self.lanes)
            undefined = ir.VectorType(I32, self.lanes)(ir.Undefined)
            self._broadcasts[value] = self.builder.shuffle_vector(single, undefined, everywhere)
        return self._broadcasts[value]

    def add(self, x: ir.Value, y: ir.Value) -> ir.Value:
        """Emit x + y."""
        return self.builder.add(x, y)

    def shr(self, x: ir.Value, bits: int) -> ir.Value:
        """Emit a logical shift right."""
        return self.builder.lshr(x, self._immediate(x, bits))

    def rotr(self, x: ir.Value, bits: int) -> ir.Value:
        """Emit a rotate right, as LLVM's funnel shift of a word with itself."""
        suffix = "i32" if x.type == I32 else f"v{self.lanes}i32"
        funnel = declare(self.builder, f"llvm.fshr.{suffix}", x.type, [x.type] * 3)
        return self.builder.call(funnel, [x, x, self._immediate(x, bits)])

    def xor3(self, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
        """Emit x ^ y ^ z."""
        return self.builder.xor(self.builder.xor(x, y), z)

    def ch(self, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
        """Emit the choice between y and z by the bits of x."""
        return self.builder.xor(self.builder.and_(self.builder.xor(y, z), x), z)

    def maj(self, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
        """Emit the majority; LLVM recognises y ^ z as the x ^ y of the round before."""
        return self.builder.xor(self.builder.and_(self.builder.xor(x, y), self.builder.xor(y, z)), y)

    def _three_way(self, table: int, arguments: list[ir.Value]) -> ir.Value:
        name = f"llvm.x86.avx512.pternlog.d.{32 * self.lanes}"
        logic = declare(self.builder, name, self.word, [self.word] * 3 + [I32])
        return self.builder.call(logic, [*arguments, I32(table)])

    def _immediate(self, like: ir.Value, bits: int) -> ir.Constant:
        return I32(bits) if like.type == I32 else ir.Constant(like.type, [bits] * self.lanes)
