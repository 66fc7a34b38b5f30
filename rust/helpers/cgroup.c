// SPDX-License-Identifier: GPL-2.0
/* Charge I/O to the cgroup that it comes from. */

#include <linux/blk-cgroup.h>
#include <linux/blk-mq.h>
#include <linux/cgroup.h>
#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/preempt.h>
#include <linux/sched/mm.h>

#include "helpers.h"

#ifdef CONFIG_BLK_CGROUP
struct cgroup_subsys_state *kx_rq_blkcg(const struct request *rq)
{
	struct cgroup_subsys_state *css = NULL;

	/* The first of several merged bios determines the cgroup. */
	if (rq->bio)
		css = bio_blkcg_css(rq->bio);
	return css == blkcg_root_css ? NULL : css;
}

/* Not in an interrupt: the interrupted kthread may be in kthread_associate_blkcg(). */
bool kx_charge_enter(const struct request *rq, struct kx_charge *charge)
{
	struct cgroup_subsys_state *css = kx_rq_blkcg(rq);

	if (!in_task())
		return false;
	kthread_associate_blkcg(css);
#ifdef CONFIG_MEMCG
	charge->memcg_css = cgroup_get_e_css(css->cgroup, &memory_cgrp_subsys);
	charge->old = set_active_memcg(mem_cgroup_from_css(charge->memcg_css));
#endif
	return true;
}

void kx_charge_leave(const struct kx_charge *charge)
{
#ifdef CONFIG_MEMCG
	set_active_memcg(charge->old);
	css_put(charge->memcg_css);
#endif
	kthread_associate_blkcg(NULL);
}
#else
struct cgroup_subsys_state *kx_rq_blkcg(const struct request *rq)
{
	return NULL;
}

bool kx_charge_enter(const struct request *rq, struct kx_charge *charge)
{
	return false;
}

void kx_charge_leave(const struct kx_charge *charge)
{
}
#endif
