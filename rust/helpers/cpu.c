// SPDX-License-Identifier: GPL-2.0
/* Shims for what CPUs and tasks are busy with. */

#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/kernel_stat.h>
#include <linux/sched.h>

#include "helpers.h"

unsigned long kx_jiffies(void)
{
	return jiffies;
}

u64 kx_jiffies_to_nsecs(unsigned long j)
{
	return jiffies_to_nsecs(j);
}

const struct task_struct *kx_current(void)
{
	return current;
}

u64 kx_current_runtime(void)
{
	return current->se.sum_exec_runtime;
}

void kx_cond_resched(void)
{
	cond_resched();
}

u64 kx_cpus_idle(void)
{
	u64 ns = 0;
	int cpu;

	for_each_online_cpu(cpu)
		ns += kcpustat_field_idle(cpu) + kcpustat_field_iowait(cpu);
	return ns;
}
