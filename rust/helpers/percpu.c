// SPDX-License-Identifier: GPL-2.0
/* Per-CPU counters. */

#include <linux/percpu.h>

#include "helpers.h"

u64 __percpu *kx_counters_alloc(unsigned int bytes)
{
	return __alloc_percpu(bytes, __alignof__(u64));
}

void kx_counters_free(u64 __percpu *counters)
{
	free_percpu(counters);
}

void kx_counters_add(u64 __percpu *counters, unsigned int i)
{
	this_cpu_inc(counters[i]);
}

void kx_counters_add_two(u64 __percpu *counters, unsigned int i, unsigned int j)
{
	this_cpu_inc(counters[i]);
	this_cpu_inc(counters[j]);
}

u64 kx_counters_sum(u64 __percpu *counters, unsigned int i)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(&counters[i], cpu));
	return sum;
}
