/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of plugstress share. */
#ifndef PLUGSTRESS_H
#define PLUGSTRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>
#include "rloop_util.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum { TARGETS = 16, CHANGERS = 32, SLOTS = 13 };

enum engine { AIO, URING, SQPOLL };
enum { FSIZE = 1, FIFO = 2, MEMORY = 4, IO_LIMIT = 8, KILLED = 16 };

struct kind {
	const char *name;
	enum engine engine;
	int flags;
};

struct target {
	const char *path;
	bool direct_only, is_file;
};

struct changer {
	const char *how, *path, *values;
};

/* What all tasks see. */
struct shared {
	atomic_bool over, failed;
	struct slot {
		atomic_ulong rounds, ops, checked, refused;
		int pid, lives;
	} slots[SLOTS + CHANGERS];
};

extern const struct kind kinds[SLOTS];
extern struct target targets[TARGETS];
extern int n_targets;
extern const char *memory_group, *io_group;
extern uint64_t seed;
extern struct shared *shared;

/* Of this task: its slot, and its random numbers. */
extern int self;
extern uint64_t rnd_state;

unsigned int rnd(unsigned int below);
const char *own_name(void);

/* Do their work until all is over. */
void submitter(int life);
void changer(const struct changer *c);

/* One line with one write: others print, too. */
#define fail(format, ...) do {								\
	dprintf(1, "FAIL: %s: " format " (%s)\n", own_name(), ##__VA_ARGS__, strerror(errno)); \
	shared->failed = true;								\
	_exit(1);									\
} while (0)

#endif
