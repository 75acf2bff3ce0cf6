"""x86 instructions: class, and the line of a probe that repeats them without waiting."""

import pytest

from kernels.scan_cpu.throughput.x86 import X86Assembly

DIALECT = X86Assembly(avx=True)


@pytest.mark.parametrize(
    ("line", "kind", "probe"),
    [
        ("sha256rnds2	%xmm0, %xmm3, %xmm4", "sha256rnds2", "sha256rnds2 %xmm0, %xmm7, %xmm1"),
        ("sha256msg1	16(%rsp), %xmm4", "sha256msg1", "sha256msg1 16(%rdi), %xmm1"),
        ("vpaddd	%zmm3, %zmm17, %zmm18", "zmm additions", "vpaddd %zmm6, %zmm31, %zmm16"),
        ("vpaddd	(%rax){1to16}, %zmm1, %zmm2", "zmm additions", "vpaddd 0(%rdi){1to16}, %zmm7, %zmm1"),
        (
            "vpternlogd	$150, %ymm30, %ymm29, %ymm17",
            "ymm three-way logic",
            "vpternlogd $150, %ymm31, %ymm30, %ymm16",
        ),
        ("vpxor	%xmm3, %xmm3, %xmm3", "xmm logic", "vpxor %xmm1, %xmm1, %xmm1"),
        ("vpxor	%xmm3, %xmm4, %xmm3", "xmm logic", "vpxor %xmm6, %xmm7, %xmm1"),
        ("vprold	$7, %ymm1, %ymm2", "ymm rotates", "vprold $7, %ymm7, %ymm1"),
        ("vpsrld	$3, %ymm1, %ymm2", "ymm shifts", "vpsrld $3, %ymm7, %ymm1"),
        ("vpsrldq	$8, %xmm1, %xmm2", "xmm shuffles", "vpsrldq $8, %xmm7, %xmm1"),
        ("vmovdqa	%ymm1, %ymm2", "ymm moves", "vmovdqa %ymm6, %ymm1"),
        ("vmovdqa	-200(%rsp), %ymm2", "ymm loads", "vmovdqa -224(%rdi), %ymm1"),
        ("vmovdqu	%ymm2, 5000(%rsp)", "ymm stores", "vmovdqu %ymm6, 896(%rsi)"),
        ("movq	8(%rsi), %xmm0", "sse loads", "movq 8(%rdi), %xmm1"),
        ("paddd	.LCPI0_1(%rip), %xmm0", "sse additions", "paddd 512(%rdi), %xmm1"),
        ("vpbroadcastd	(%rdi), %zmm2", "zmm loads", "vpbroadcastd 0(%rdi), %zmm1"),
        ("vptestnmd	(%rdi), %zmm2, %k1", "zmm comparisons", "vptestnmd 0(%rdi), %zmm7, %k1"),
        ("kmovd	%k0, %eax", "xmm transfers", "kmovd %k0, %eax"),
        ("pextrd	$1, %xmm2, 40(%rdx)", "sse stores", "pextrd $1, %xmm7, 40(%rsi)"),
        ("addl	$5, %r9d", "integer additions", "addl $5, %eax"),
        ("leal	3(%rax,%rcx,4), %edx", "integer additions", "leal 3(%rcx,%rdx,4), %eax"),
        ("rorxl	$6, %esi, %eax", "integer rotates", "rorxl $6, %edx, %eax"),
        ("movabsq	$.LCPI0_3, %rdi", "integer moves", "movabsq $0x1122334455667788, %rax"),
        ("cmpq	%r9, 16(%rsp)", "integer additions", "cmpq %rcx, 16(%rdi)"),
        ("sete	%sil", "integer logic", "sete %al"),
        ("movzbl	%bl, %r10d", "integer moves", "movzbl %cl, %eax"),
    ],
)
def test_an_instruction_has_a_class_and_a_line_that_waits_for_nothing(line, kind, probe):
    instruction = DIALECT.parse(line)
    assert instruction.kind == kind
    assert DIALECT.independent([instruction]) == [probe]


def test_results_go_round_so_that_no_instruction_reads_a_recent_one():
    lines = DIALECT.independent([DIALECT.parse("vpaddd %ymm1, %ymm2, %ymm2")] * 14)
    written = [line.rpartition("%")[2] for line in lines]
    assert len(set(written)) == 13
    assert written[0] == written[13]
    assert not {"ymm6", "ymm7"} & set(written)  # which all of them read


@pytest.mark.parametrize("line", ["jne .LBB0_1", "callq *%rax", "pushq %rbx", "mulq %rcx", "vzeroupper", "fld %st(1)"])
def test_what_cannot_be_repeated_freely_is_counted_and_left_out(line):
    instruction = DIALECT.parse(line)
    assert instruction.kind
    assert DIALECT.independent([instruction]) == []


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("vpaddd 64(%rsp), %zmm1, %zmm2", "vmovdqu64 64(%rdi), %zmm16"),
        ("paddd (%r10), %xmm0", "movdqu 0(%rdi), %xmm1"),
        ("addl 4(%rsp), %eax", "movq 0(%rdi), %rax"),
        ("movl %eax, 4(%rsp)", "movl %ecx, 0(%rsi)"),
    ],
)
def test_the_load_or_store_of_an_instruction_is_as_wide_as_its_registers(line, part):
    assert DIALECT.independent([DIALECT.memory_part(DIALECT.parse(line))]) == [part]


def test_without_avx_a_probe_does_not_clean_the_upper_halves():
    assert "vzeroupper" not in X86Assembly(avx=False).loop(["nop"])
    assert DIALECT.loop(["nop"]).count("vzeroupper") == 2
