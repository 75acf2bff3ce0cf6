"""The instructions that every turn of a loop executes, from small functions whose answers can be read off."""

import pytest

from kernels.errors import KernelInputError
from kernels.scan_cpu.throughput.control_flow import Region, step_regions
from kernels.scan_cpu.throughput.listing import Listing

ONE_LOOP = """
scan:
	.cfi_startproc
# %bb.0:
	xorl	%eax, %eax
.LBB0_1:                                # =>This Inner Loop Header: Depth=1
	addl	$1, %eax                        # a comment
	testl	%edx, %edx
	je	.LBB0_3
	movl	%eax, (%rdi)
.LBB0_3:
	cmpl	%eax, %esi
	jne	.LBB0_1
	retq
.Lfunc_end0:
"""

NESTED = """
scan:
.LBB0_1:
	addl	$1, %eax
	subl	$2, %ebx
.LBB0_2:
	orl	$3, %ecx
	andl	$4, %ecx
	cmpl	%ecx, %edx
	jne	.LBB0_2
.LBB0_3:
	cmpl	%eax, %esi
	jne	.LBB0_1
	retq
"""

CALLS = """
scan:
.LBB0_1:
	movabsq	$perwatt_step_ymm, %rax
	callq	*%rax
	callq	*%rax
	testq	%rax, %rax
	jne	.LBB0_1
	retq
perwatt_step_ymm:
	pushq	%rbx
	#APP
	vzeroupper
	#NO_APP
	popq	%rbx
	retq
"""

SWITCH = """
scan:
.LBB0_1:
	jmpq	*%rax
.LBB0_2:
	addl	$1, %eax
	jmp	.LBB0_4
.LBB0_3:
	addl	$2, %eax
.LBB0_4:
	jne	.LBB0_1
	retq
.LJTI0_0:
	.long	.LBB0_2-.LJTI0_0
	.long	.LBB0_3-.LJTI0_0
"""


def names(regions):
    return [([line.split()[0] for line in region.lines], region.times) for region in regions]


def test_a_branch_that_a_turn_may_skip_is_left_out():
    assert names(step_regions(ONE_LOOP, 1)) == [(["addl", "testl", "je", "cmpl", "jne"], 1)]
    assert step_regions(ONE_LOOP, 1)[0].lines[0] == "addl	$1, %eax"


def test_a_loop_inside_counts_as_often_as_it_turns():
    assert names(step_regions(NESTED, 4)) == [
        (["addl", "subl", "cmpl", "jne"], 1),
        (["orl", "andl", "cmpl", "jne"], 4),
    ]


def test_the_step_of_a_pipeline_counts_once_for_each_call():
    assert names(step_regions(CALLS, 1)) == [
        (["movabsq", "callq", "callq", "testq", "jne"], 1),
        (["pushq", "vzeroupper", "popq", "retq"], 2),
    ]


def test_of_a_switch_only_what_follows_every_case_counts():
    assert names(step_regions(SWITCH, 1)) == [(["jmpq", "jne"], 1)]


def test_aarch64_keeps_its_immediates():
    text = "scan:\n.LBB0_1:\n\tadd\tw0, w0, #1 // =1\n\tcmp\tw0, w1\n\tb.ne\t.LBB0_1\n\tret\n"
    assert step_regions(text, 1)[0].lines == ("add	w0, w0, #1", "cmp	w0, w1", "b.ne	.LBB0_1")


def test_code_without_a_loop_is_refused():
    with pytest.raises(KernelInputError, match="expected a loop, got none"):
        step_regions("scan:\n\tretq\n", 1)


def test_a_turn_holds_the_right_share_of_what_is_executed_less_often():
    step = Listing((Region(tuple("abcdefgh"), 1), Region(("x", "y"), 4)), hashes=32)
    assert step.instructions_per_hash == (8 + 8) / 32
    assert step.turn() == (["x", "y", "a", "e"], 4 / 32)
