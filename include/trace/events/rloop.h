/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of requests. Each request that arrives is submitted once and
 * completed once, and goes to a worker at most once. The fields with the same names
 * as those of the events block_rq_* have the same contents; tag tells requests apart
 * that are in flight on a device.
 *
 * Include trace/events/block.h before, for RWBS_LEN.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM rloop

#if !defined(_TRACE_RLOOP_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_RLOOP_H

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/blktrace_api.h>
#include <linux/tracepoint.h>

/*
 * The longest name of a reason with its NUL, and more. An array and no __string: bpftrace 0.23
 * reads a __data_loc from a wrong place.
 */
#define RLOOP_REASON_LEN 24

/* What all events tell of the request. */
#define RLOOP_RQ_FIELDS						\
	__field(dev_t, dev)					\
	__field(sector_t, sector)				\
	__field(u32, bytes)					\
	__field(u32, tag)					\
	__array(char, rwbs, RWBS_LEN)

#define RLOOP_RQ_ASSIGN						\
	__entry->dev = disk_devt(rq->q->disk);			\
	__entry->sector = blk_rq_trace_sector(rq);		\
	__entry->bytes = blk_rq_bytes(rq);			\
	__entry->tag = blk_mq_unique_tag(rq);			\
	blk_fill_rwbs(__entry->rwbs, rq->cmd_flags)

#define RLOOP_RQ_FORMAT	"%d,%d %s %llu + %u bytes tag %u"
#define RLOOP_RQ_ARGS						\
	MAJOR(__entry->dev), MINOR(__entry->dev), __entry->rwbs, \
	(unsigned long long)__entry->sector, __entry->bytes, __entry->tag

TRACE_EVENT(rloop_submit,
	TP_PROTO(struct request *rq),
	TP_ARGS(rq),

	TP_STRUCT__entry(
		RLOOP_RQ_FIELDS
	),

	TP_fast_assign(
		RLOOP_RQ_ASSIGN;
	),

	TP_printk(RLOOP_RQ_FORMAT, RLOOP_RQ_ARGS)
);

TRACE_EVENT(rloop_fallback,
	TP_PROTO(struct request *rq, const char *reason),
	TP_ARGS(rq, reason),

	TP_STRUCT__entry(
		RLOOP_RQ_FIELDS
		__array(char, reason, RLOOP_REASON_LEN)
	),

	TP_fast_assign(
		RLOOP_RQ_ASSIGN;
		strscpy(__entry->reason, reason);
	),

	TP_printk(RLOOP_RQ_FORMAT ": %s",
		  RLOOP_RQ_ARGS, __entry->reason)
);

TRACE_EVENT(rloop_complete,
	TP_PROTO(struct request *rq, int error),
	TP_ARGS(rq, error),

	TP_STRUCT__entry(
		RLOOP_RQ_FIELDS
		__field(int, error)
	),

	TP_fast_assign(
		RLOOP_RQ_ASSIGN;
		__entry->error = error;
	),

	TP_printk(RLOOP_RQ_FORMAT " error %d",
		  RLOOP_RQ_ARGS, __entry->error)
);

#endif /* _TRACE_RLOOP_H */

#include <trace/define_trace.h>
