/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The end of each assembly file, also of one that is empty on this processor:
 * notes to the linker, which believes of a library only what all its parts say.
 *
 * The stack need not be executable. On 64-bit ARM: branch targets are marked
 * (BTI) and return addresses signed (PAC), where the compiler does so too. On
 * x86-64 nothing is said of shadow stacks and branch targets (CET), so that the
 * kernel turns neither on: a fiber has no shadow stack.
 */
#ifdef __ELF__
  .section .note.GNU-stack, "", %progbits

#if defined(__aarch64__) &&                                                    \
    (defined(__ARM_FEATURE_BTI_DEFAULT) || defined(__ARM_FEATURE_PAC_DEFAULT))
  .section .note.gnu.property, "a", %note
  .balign 8
  .word 4, 16, 5     /* sizes of name and content; NT_GNU_PROPERTY_TYPE_0 */
  .asciz "GNU"
  .word 0xc0000000   /* GNU_PROPERTY_AARCH64_FEATURE_1_AND */
  .word 4            /* its size */
#if defined(__ARM_FEATURE_BTI_DEFAULT) && defined(__ARM_FEATURE_PAC_DEFAULT)
  .word 3
#elif defined(__ARM_FEATURE_BTI_DEFAULT)
  .word 1
#else
  .word 2
#endif
  .word 0            /* padding */
#endif
#endif
