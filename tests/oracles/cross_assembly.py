"""Assembly of the scan's steps as LLVM writes it for a named CPU, present here or not."""

from llvmlite import binding, ir

from kernels.scan_cpu.codegen.lanes_step import JOB_WORDS
from kernels.scan_cpu.codegen.lanes_target import I32

X86, ARM = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"


def assembly(generate, triple, cpu, features=""):
    """Return the assembly of a step in a loop that stores its bits, as LLVM optimises it for a CPU."""
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    module = ir.Module()
    module.triple = triple
    job_type = ir.ArrayType(I32, JOB_WORDS)
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [job_type, I32.as_pointer(), I32]), "scan")
    entry, loop, leave = (function.append_basic_block(name) for name in ("entry", "loop", "leave"))
    builder = ir.IRBuilder(entry)
    builder.branch(loop)
    builder.position_at_end(loop)
    base = builder.phi(I32)
    base.add_incoming(I32(0), entry)
    bits = generate(None, builder, None, [function.args[0], base])
    builder.store(bits, builder.gep(function.args[1], [base]))
    following = builder.add(base, I32(16))
    base.add_incoming(following, loop)
    builder.cbranch(builder.icmp_unsigned("<", following, function.args[2]), loop, leave)
    builder.position_at_end(leave)
    builder.ret_void()
    return optimised(module, cpu, features)


def rolled_assembly(scan, cpu, midstates):
    """Return the assembly of a schedule and then a hash for each midstate, in a loop, for an x86 CPU."""
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    module = ir.Module()
    module.triple = X86
    i64 = ir.IntType(64)
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [i64, I32.as_pointer(), I32]), "scan")
    entry, outer, inner, after, leave = (
        function.append_basic_block(n) for n in ("entry", "outer", "inner", "after", "leave")
    )
    memory, out, end = function.args
    builder = ir.IRBuilder(entry)
    builder.branch(outer)
    builder.position_at_end(outer)
    base = builder.phi(I32)
    base.add_incoming(I32(0), entry)
    scan.schedule(None, builder, None, [memory, base])
    builder.branch(inner)
    builder.position_at_end(inner)
    index = builder.phi(I32)
    index.add_incoming(I32(0), outer)
    bits = scan.hash_in_turns(None, builder, None, [memory, index])
    builder.store(bits, builder.gep(out, [builder.add(base, index)]))
    following = builder.add(index, I32(1))
    index.add_incoming(following, inner)
    builder.cbranch(builder.icmp_unsigned("<", following, I32(midstates)), inner, after)
    builder.position_at_end(after)
    next_base = builder.add(base, I32(16))
    base.add_incoming(next_base, after)
    builder.cbranch(builder.icmp_unsigned("<", next_base, end), outer, leave)
    builder.position_at_end(leave)
    builder.ret_void()
    return optimised(module, cpu)


def optimised(module, cpu, features=""):
    """Return the assembly of a module, as LLVM optimises it for a CPU."""
    machine = binding.Target.from_triple(module.triple).create_target_machine(cpu=cpu, features=features, opt=3)
    parsed = binding.parse_assembly(str(module))
    passes = binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(speed_level=3))
    passes.getModulePassManager().run(parsed, passes)
    return machine.emit_assembly(parsed)
