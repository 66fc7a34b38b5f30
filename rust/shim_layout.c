// SPDX-License-Identifier: GPL-2.0
/*
 * What Rust has to know of the shims and of the kernel's constants, as the C compiler
 * sees it. Kbuild turns the assembly of this file into Rust constants, as it does for
 * asm-offsets.h; rust/helpers.rs uses or compares them.
 */
#include <linux/types.h>
#include <linux/falloc.h>
#include <linux/kbuild.h>
#include <linux/stddef.h>
#include <linux/uio.h>

#include "helpers/helpers.h"

int main(void)
{
	DEFINE(IO_DIRECT, KX_IO_DIRECT);
	DEFINE(IO_DSYNC, KX_IO_DSYNC);
	DEFINE(IO_DONTCACHE, KX_IO_DONTCACHE);
	DEFINE(IO_NOWAIT, KX_IO_NOWAIT);
	DEFINE(IO_NOIO, KX_IO_NOIO);
	DEFINE(IO_POLLED, KX_IO_POLLED);

	DEFINE(OP_READ_ITER, KX_OP_READ_ITER);
	DEFINE(OP_WRITE_ITER, KX_OP_WRITE_ITER);
	DEFINE(OP_FSYNC, KX_OP_FSYNC);
	DEFINE(OP_FALLOCATE, KX_OP_FALLOCATE);

	DEFINE(FILE_READ, KX_FILE_READ);
	DEFINE(FILE_WRITE, KX_FILE_WRITE);
	DEFINE(FILE_CAN_DIRECT, KX_FILE_CAN_DIRECT);
	DEFINE(FILE_DIRECT, KX_FILE_DIRECT);
	DEFINE(FILE_REGULAR, KX_FILE_REGULAR);
	DEFINE(FILE_BLOCK, KX_FILE_BLOCK);
	DEFINE(FILE_NOWAIT, KX_FILE_NOWAIT);
	DEFINE(FILE_SYNC, KX_FILE_SYNC);
	DEFINE(FILE_NOWAIT_CACHED, KX_FILE_NOWAIT_CACHED);

	DEFINE(OPEN_WRITE, KX_OPEN_WRITE);
	DEFINE(OPEN_EXCL, KX_OPEN_EXCL);

	DEFINE(ITER_DEST_, ITER_DEST);
	DEFINE(ITER_SOURCE_, ITER_SOURCE);

	DEFINE(FALLOC_KEEP_SIZE, FALLOC_FL_KEEP_SIZE);
	DEFINE(FALLOC_PUNCH_HOLE, FALLOC_FL_PUNCH_HOLE);
	DEFINE(FALLOC_ZERO_RANGE, FALLOC_FL_ZERO_RANGE);

	DEFINE(CHARGE_SIZE, sizeof(struct kx_charge));
	DEFINE(TASK_NAME_SIZE, sizeof(struct kx_task_name));
	DEFINE(TASK_COMM_SIZE, TASK_COMM_LEN);
	DEFINE(INLINE_SIZE, sizeof(struct kx_inline));
	OFFSET(INLINE_FITS, kx_inline, fits);
	return 0;
}
