# The functions that compiled code calls for blocks of memory (the C standard's <string.h>; rustc's `core` documents that
# it needs them). 16 bytes at a time by SSE2. Not `rep movsb`, which QEMU's translator does a byte at a time. Assembly,
# because LLVM would make a call of memcpy of a loop that copies.
#
# `entry NAME` is a macro of the file that includes this one: it begins a section and a global label.

entry memcpy
    mov rax, rdi
    cmp rdx, 16
    jb 5f
    movups xmm4, [rsi + rdx - 16]
    lea r8, [rdi + rdx - 16]
2:  cmp rdx, 64
    jb 3f
    movups xmm0, [rsi]
    movups xmm1, [rsi + 16]
    movups xmm2, [rsi + 32]
    movups xmm3, [rsi + 48]
    movups [rdi], xmm0
    movups [rdi + 16], xmm1
    movups [rdi + 32], xmm2
    movups [rdi + 48], xmm3
    add rsi, 64
    add rdi, 64
    sub rdx, 64
    jmp 2b
3:  cmp rdx, 16
    jb 4f
    movups xmm0, [rsi]
    movups [rdi], xmm0
    add rsi, 16
    add rdi, 16
    sub rdx, 16
    jmp 3b
4:  movups [r8], xmm4
    ret
    # Below 16 bytes: two moves that may overlap. Everything is read before anything is written, for memmove.
5:  cmp rdx, 8
    jb 6f
    mov rcx, [rsi]
    mov r8, [rsi + rdx - 8]
    mov [rdi], rcx
    mov [rdi + rdx - 8], r8
    ret
6:  cmp rdx, 4
    jb 7f
    mov ecx, [rsi]
    mov r8d, [rsi + rdx - 4]
    mov [rdi], ecx
    mov [rdi + rdx - 4], r8d
    ret
    # Up to three bytes: the first, the middle and the last.
7:  test rdx, rdx
    jz 8f
    mov r9, rdx
    shr r9
    movzx ecx, byte ptr [rsi]
    movzx r8d, byte ptr [rsi + r9]
    movzx r10d, byte ptr [rsi + rdx - 1]
    mov [rdi], cl
    mov [rdi + r9], r8b
    mov [rdi + rdx - 1], r10b
8:  ret

# From the front, as memcpy does it, unless the destination begins inside the source.
entry memmove
    mov rcx, rdi
    sub rcx, rsi
    cmp rcx, rdx
    jae forward
    cmp rdx, 16
    jb forward
    mov rax, rdi
    movups xmm4, [rsi]
2:  movups xmm0, [rsi + rdx - 16]
    movups [rdi + rdx - 16], xmm0
    sub rdx, 16
    cmp rdx, 16
    jae 2b
    movups [rdi], xmm4
    ret

entry memset
    mov rax, rdi
    movzx ecx, sil
    mov r8, 0x0101010101010101
    imul rcx, r8
    cmp rdx, 16
    jb 4f
    movq xmm0, rcx
    punpcklqdq xmm0, xmm0
    lea r8, [rdi + rdx - 16]
2:  cmp rdx, 64
    jb 3f
    movups [rdi], xmm0
    movups [rdi + 16], xmm0
    movups [rdi + 32], xmm0
    movups [rdi + 48], xmm0
    add rdi, 64
    sub rdx, 64
    jmp 2b
3:  movups [r8], xmm0
    cmp rdx, 16
    jbe 6f
    movups [rdi], xmm0
    add rdi, 16
    sub rdx, 16
    jmp 3b
4:  cmp rdx, 8
    jb 5f
    mov [rdi], rcx
    mov [rdi + rdx - 8], rcx
    ret
5:  test rdx, rdx
    jz 6f
    mov [rdi + rdx - 1], cl
    dec rdx
    jmp 5b
6:  ret

entry memcmp
    xor ecx, ecx
2:  lea r8, [rcx + 16]
    cmp r8, rdx
    ja 3f
    movups xmm0, [rdi + rcx]
    movups xmm1, [rsi + rcx]
    pcmpeqb xmm0, xmm1
    pmovmskb eax, xmm0
    xor eax, 0xffff
    jnz 4f
    mov rcx, r8
    jmp 2b
3:  cmp rcx, rdx
    jae 6f
    movzx eax, byte ptr [rdi + rcx]
    movzx r8d, byte ptr [rsi + rcx]
    inc rcx
    sub eax, r8d
    jz 3b
    ret
4:  bsf eax, eax
    add rcx, rax
    movzx eax, byte ptr [rdi + rcx]
    movzx r8d, byte ptr [rsi + rcx]
    sub eax, r8d
    ret
6:  xor eax, eax
    ret

# Only whether they differ matters.
entry bcmp
    jmp compare

entry strlen
    xor eax, eax
2:  cmp byte ptr [rdi + rax], 0
    je 3f
    inc rax
    jmp 2b
3:  ret

# The prebuilt `alloc` was compiled for unwinding and refers to these. A worker aborts instead, so nothing calls them.
entry rust_eh_personality
    ud2

entry _Unwind_Resume
    ud2
