// SPDX-License-Identifier: GPL-2.0
/*
 * plugstress SECONDS SEED [-m FILE] [-i FILE] ITEM...
 *
 * Tasks that submit batches of I/O, each batch with one system call and so in one plug, over all
 * targets at once, with libaio's and io_uring's system calls. Each task has a region of its own in
 * each target, and compares what it reads there with what it wrote. At the same time other tasks
 * change the queues, freeze file systems and change the devices. Some of the submitters have
 * limits, and some are killed. -m and -i: cgroup.procs of a group with little memory, and of one
 * with limits for I/O.
 *
 *	target:PATH		a block device or a file, of 16 MiB; direct:PATH never through
 *				the page cache
 *	sysfs:PATH=A,B...	one of the values is written to it, again and again
 *	dio:PATH, bs:PATH	direct I/O of a loop device is switched, or its block size changed
 *	freeze:PATH		a file system is frozen for a moment
 *
 * Exit status 1: wrong data, an I/O error, or a task that was ended by a signal.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include "plugstress.h"

enum { LEAST = 3 };

const struct kind kinds[SLOTS] = {
	/* The first has the start of each file, and the end of each device. */
	{ "aio, file size", AIO, FSIZE },
	{ "uring, file size", URING, FSIZE },
	{ "aio", AIO, 0 },
	{ "aio, fifo", AIO, FIFO },
	{ "aio, memory", AIO, MEMORY },
	{ "aio, throttled", AIO, IO_LIMIT },
	{ "aio, killed", AIO, KILLED },
	{ "uring", URING, 0 },
	{ "uring, fifo", URING, FIFO },
	{ "uring, memory", URING, MEMORY },
	{ "uring, killed", URING, KILLED },
	{ "sqpoll", SQPOLL, 0 },
	{ "sqpoll, killed", SQPOLL, KILLED },
};

struct target targets[TARGETS];
int n_targets, self;
const char *memory_group, *io_group;
uint64_t seed, rnd_state;
struct shared *shared;
static struct changer changers[CHANGERS];
static int n_changers;

unsigned int rnd(unsigned int below)
{
	return (pattern_word(seed + self, rnd_state++) >> 20) % below;
}

const char *own_name(void)
{
	return self < SLOTS ? kinds[self].name : "main";
}

static void start(int slot)
{
	struct slot *s = &shared->slots[slot];
	int life = s->lives++, pid = fork();

	if (pid < 0)
		fail("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		self = slot;
		if (slot < SLOTS)
			submitter(life);
		changer(&changers[slot - SLOTS]);
	}
	s->pid = pid;
}

/* A task has ended: as it should, or it begins again. */
static void reap(int pid, int status)
{
	int i = 0, sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	while (i < SLOTS + n_changers && shared->slots[i].pid != pid)
		i++;
	if (i == SLOTS + n_changers)
		return;
	shared->slots[i].pid = 0;
	/* (Where there is too little memory, the kernel kills.) */
	if (sig == SIGKILL && i < SLOTS && (kinds[i].flags & (KILLED | MEMORY))) {
		if (!shared->over)
			start(i);
	} else if (status) {
		if (!shared->failed)
			printf("FAIL: %s: ended with %s %d\n",
			       i < SLOTS ? kinds[i].name : changers[i - SLOTS].path,
			       sig ? "signal" : "status", sig ?: WEXITSTATUS(status));
		shared->failed = true;
	}
}

static bool running(void)
{
	int i;

	for (i = 0; i < SLOTS + n_changers; i++)
		if (shared->slots[i].pid)
			return true;
	return false;
}

static void kill_one(void)
{
	int i = rnd(SLOTS);

	/* At least one task has ended a round. */
	if ((kinds[i].flags & KILLED) && shared->slots[i].pid &&
	    shared->slots[i].rounds >= (unsigned long)shared->slots[i].lives)
		kill(shared->slots[i].pid, SIGKILL);
}

/* On a slow machine the time is over when the first have just begun. */
static bool enough(time_t end)
{
	int i;

	for (i = 0; i < SLOTS; i++)
		if (shared->slots[i].rounds < LEAST)
			return false;
	return time(NULL) >= end;
}

static void add_item(char *item)
{
	char *path = strchr(item, ':'), *values;
	struct stat st;

	if (!path) {
		printf("what is %s?\n", item);
		exit(2);
	}
	*path++ = 0;
	if (!strcmp(item, "target") || !strcmp(item, "direct")) {
		if (n_targets == TARGETS || stat(path, &st)) {
			perror(path);
			exit(2);
		}
		targets[n_targets++] = (struct target){
			path, !strcmp(item, "direct"), S_ISREG(st.st_mode),
		};
	} else if (n_changers < CHANGERS) {
		values = strchr(path, '=');
		if (values)
			*values++ = 0;
		changers[n_changers++] = (struct changer){ item, path, values ?: "" };
	}
}

int main(int argc, char **argv)
{
	int opt, i, pid, status;
	time_t end;

	while ((opt = getopt(argc, argv, "+m:i:")) != -1) {
		if (opt == 'm')
			memory_group = optarg;
		else if (opt == 'i')
			io_group = optarg;
		else
			return 2;
	}
	if (argc - optind < 3)
		return 2;
	seed = strtoull(argv[optind + 1], NULL, 0);
	for (i = optind + 2; i < argc; i++)
		add_item(argv[i]);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED || !n_targets)
		return 2;
	end = time(NULL) + atoi(argv[optind]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < SLOTS + n_changers; i++)
		start(i);
	self = SLOTS + CHANGERS;
	while (running()) {
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			reap(pid, status);
		usleep(50000);
		if (enough(end))
			shared->over = true;
		else if (!rnd(4))
			kill_one();
	}
	for (i = 0; i < SLOTS + n_changers; i++) {
		struct slot *s = &shared->slots[i];

		if (i < SLOTS)
			printf("%s: %lu rounds, %lu I/Os, %lu compared, %lu refused, %d lives\n",
			       kinds[i].name, s->rounds, s->ops, s->checked, s->refused, s->lives);
		else
			printf("%s %s: %lu times, %lu refused\n", changers[i - SLOTS].how,
			       changers[i - SLOTS].path, s->rounds, s->refused);
	}
	return shared->failed;
}
