"""Eight doubles at a time in Numba code, one scenario a lane, on machines with any vector length.

LLVM splits the eight lanes where the machine's vectors are shorter. No operation is reordered or fused, so each lane
gives the bits that the same scenario gives anywhere else. Imported only where a fleet is run (it imports Numba).
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir

from kernels.compiler import intrinsic, models, overload, register_model, types
from sites.dispatch.formulas import larger, smaller

LANES = 8
_DOUBLE = ir.DoubleType()
_VECTOR = ir.VectorType(_DOUBLE, LANES)


class _Doubles(types.Type):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(name="Doubles8")


Doubles = _Doubles()


@register_model(_Doubles)
class _DoublesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


def _address(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    fields = context.make_array(kind)(context, builder, array)
    pointer = builder.gep(fields.data, [index])
    return builder.bitcast(pointer, _VECTOR.as_pointer())


@intrinsic
def load(typingctx: Any, array: Any, index: Any) -> Any:  # noqa: ARG001
    """Load eight neighbours of a contiguous one-dimensional array, from index on."""
    signature = Doubles(array, types.intp)

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        value = builder.load(_address(context, builder, sig.args[0], args[0], args[1]))
        value.align = 8
        return value

    return signature, emit


@intrinsic
def store(typingctx: Any, array: Any, index: Any, value: Any) -> Any:  # noqa: ARG001
    """Write eight lanes into a contiguous one-dimensional array, from index on."""
    signature = types.void(array, types.intp, Doubles)

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        done = builder.store(args[2], _address(context, builder, sig.args[0], args[0], args[1]))
        done.align = 8
        return context.get_dummy_value()

    return signature, emit


@intrinsic
def splat(typingctx: Any, value: Any) -> Any:  # noqa: ARG001
    """Return one number in every lane."""
    signature = Doubles(types.float64)

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:  # noqa: ARG001
        single = builder.insert_element(_VECTOR(ir.Undefined), args[0], ir.IntType(32)(0))
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return builder.shuffle_vector(single, _VECTOR(ir.Undefined), everywhere)

    return signature, emit


def _binary(name: str) -> Any:
    @intrinsic
    def operation(typingctx: Any, x: Any, y: Any) -> Any:  # noqa: ARG001
        def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:  # noqa: ARG001
            return getattr(builder, name)(*args)

        return Doubles(Doubles, Doubles), emit

    return operation


def _choice(comparison: str) -> Any:
    @intrinsic
    def operation(typingctx: Any, x: Any, y: Any, yes: Any, no: Any) -> Any:  # noqa: ARG001
        def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:  # noqa: ARG001
            return builder.select(builder.fcmp_ordered(comparison, args[0], args[1]), args[2], args[3])

        return Doubles(Doubles, Doubles, Doubles, Doubles), emit

    return operation


_add, _sub, _mul, _div = (_binary(name) for name in ("fadd", "fsub", "fmul", "fdiv"))
if_above = _choice(">")  # if_above(x, y, yes, no): yes where x > y, else no
if_at_least = _choice(">=")


@intrinsic
def _smaller(typingctx: Any, x: Any, y: Any) -> Any:  # noqa: ARG001
    """Return the smaller of two in each lane; NaN is not handled."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:  # noqa: ARG001
        return builder.select(builder.fcmp_ordered("<", args[0], args[1]), args[0], args[1])

    return Doubles(Doubles, Doubles), emit


@intrinsic
def _larger(typingctx: Any, x: Any, y: Any) -> Any:  # noqa: ARG001
    """Return the larger of two in each lane; NaN is not handled."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:  # noqa: ARG001
        return builder.select(builder.fcmp_ordered(">", args[0], args[1]), args[0], args[1])

    return Doubles(Doubles, Doubles), emit


@intrinsic
def any_above(typingctx: Any, x: Any, y: Any) -> Any:  # noqa: ARG001
    """Return whether x > y in any lane."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:  # noqa: ARG001
        bits = builder.fcmp_ordered(">", args[0], args[1])
        packed = builder.bitcast(bits, ir.IntType(LANES))
        return builder.icmp_unsigned("!=", packed, ir.IntType(LANES)(0))

    return types.boolean(Doubles, Doubles), emit


def _operator(function: Any, inner: Any) -> None:
    @overload(function)
    def implement(x, y):  # type: ignore[no-untyped-def]
        if isinstance(x, _Doubles) and isinstance(y, _Doubles):
            return lambda x, y: inner(x, y)  # noqa: PLW0108 - Numba wants a Python function
        if isinstance(x, _Doubles) and isinstance(y, types.Float):
            return lambda x, y: inner(x, splat(y))
        if isinstance(y, _Doubles) and isinstance(x, types.Float):
            return lambda x, y: inner(splat(x), y)
        return None


def _choose(function: Any, inner: Any) -> None:
    @overload(function, jit_options={"forceinline": True})
    def implement(x, y):  # type: ignore[no-untyped-def]
        if isinstance(x, _Doubles) and isinstance(y, _Doubles):
            return lambda x, y: inner(x, y)  # noqa: PLW0108 - Numba wants a Python function
        if isinstance(x, _Doubles) and isinstance(y, types.Float):
            return lambda x, y: inner(x, splat(y))
        return None


_choose(smaller, _smaller)
_choose(larger, _larger)
for _function, _inner in (
    (operator.add, _add),
    (operator.sub, _sub),
    (operator.mul, _mul),
    (operator.truediv, _div),
):
    _operator(_function, _inner)
