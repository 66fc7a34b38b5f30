/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The assembly of a static branch, for rust/block/mq/trace.rs. The kernel crate has
 * it in a file of the build tree, which headers packages lack.
 */
#include <linux/jump_label.h>

static_branch_asm: ::kernel::concat_literals!(ARCH_STATIC_BRANCH_ASM("{symb} + {off} + {branch}", "{l_yes}"))
