// SPDX-License-Identifier: GPL-2.0
/* Locks, capabilities, the task, device numbers, and the version of the module. */

#include <linux/blkdev.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "helpers.h"

unsigned long kx_spin_lock_irqsave(spinlock_t *lock)
{
	unsigned long flags;

	spin_lock_irqsave(lock, flags);
	return flags;
}

void kx_spin_unlock_irqrestore(spinlock_t *lock, unsigned long flags)
{
	spin_unlock_irqrestore(lock, flags);
}

int kx_mutex_lock_killable(struct mutex *lock)
{
	return mutex_lock_killable(lock);
}

bool kx_capable_sys_admin(void)
{
	return capable(CAP_SYS_ADMIN);
}

void kx_task_name(struct kx_task_name *name)
{
	name->pid = task_tgid_nr(current);
	get_task_comm(name->comm, current);
}

unsigned int kx_minor(dev_t dev)
{
	return MINOR(dev);
}

unsigned int kx_open_mode(blk_mode_t mode)
{
	return (mode & BLK_OPEN_WRITE ? KX_OPEN_WRITE : 0) |
	       (mode & BLK_OPEN_EXCL ? KX_OPEN_EXCL : 0);
}

loff_t kx_noop_llseek(struct file *file, loff_t offset, int whence)
{
	return noop_llseek(file, offset, whence);
}

/* module! of the kernel crate has no field for it. */
MODULE_VERSION(RLOOP_VERSION);
