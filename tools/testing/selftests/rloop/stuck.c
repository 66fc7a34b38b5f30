// SPDX-License-Identifier: GPL-2.0
/*
 * stuck SECONDS [FILE]: looks at all tasks of the system once a second, until it is killed. A task
 * that is found in state D so many times, and was not switched to meanwhile, is stuck: it and all
 * others in D are printed with their stacks (in the kernel's log, too), FILE gets its name, and
 * the process group is killed. A task that was in D from the start on is not looked at. SIGTERM
 * ends it: it prints what was in D for longest. (A machine that is so busy that a look takes longer
 * than a second gives its tasks more time.)
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#include "rloop_util.h"

enum { MOST = 1024 };

static struct seen {
	int pid, tid;
	char comm[64];
	long long switches;
	int ignored, since, round; /* numbers of looks */
} seen[MOST];

static struct {
	char comm[64], stack[2048];
	int age;
} longest;

static sig_atomic_t over;

static void end(int sig)
{
	over = sig;
}

/* The start of a file in /proc of a task; empty where that is gone. */
static char *text_of(int pid, int tid, const char *name)
{
	static char text[4096];
	char path[96];
	ssize_t len = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		len = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	text[len > 0 ? len : 0] = 0;
	return text;
}

static int in_d(int pid, int tid, char *comm, size_t size)
{
	char *text = text_of(pid, tid, "stat"), *end = strrchr(text, ')');

	if (!end || end[1] != ' ' || end[2] != 'D')
		return 0;
	*end = 0;
	snprintf(comm, size, "%s", strchr(text, '(') + 1);
	return 1;
}

static long long switches(int pid, int tid)
{
	char *text = text_of(pid, tid, "status"), *p;
	long long sum = 0;

	for (p = text; (p = strstr(p, "voluntary_ctxt_switches:")); p++)
		sum += atoll(strchr(p, ':') + 1);
	return sum;
}

static void look_at(int pid, int tid, int round)
{
	struct seen *s, *unused = NULL;
	char comm[64] = "";
	long long n;

	if (!in_d(pid, tid, comm, sizeof(comm)))
		return;
	n = switches(pid, tid);
	for (s = seen; s < seen + MOST; s++) {
		if (s->tid == tid && s->round == round - 1)
			break;
		if (s->round < round - 1)
			unused = s;
	}
	if (s == seen + MOST) {
		s = unused;
		if (!s)
			return;
		*s = (struct seen){ .ignored = round == 2 };
	} else if (s->switches == n) {
		s->round = round;
		return;
	}
	s->pid = pid;
	s->tid = tid;
	s->switches = n;
	s->since = round;
	s->round = round;
	s->ignored = s->ignored && round == 2;
	memcpy(s->comm, comm, sizeof(comm));
}

static void look_at_all(int round)
{
	DIR *proc = opendir("/proc"), *tasks;
	struct dirent *p, *t;
	char path[300];

	while (proc && (p = readdir(proc))) {
		if (!isdigit(p->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/task", p->d_name);
		tasks = opendir(path);
		while (tasks && (t = readdir(tasks)))
			if (isdigit(t->d_name[0]))
				look_at(atoi(p->d_name), atoi(t->d_name), round);
		if (tasks)
			closedir(tasks);
	}
	if (proc)
		closedir(proc);
}

static void note_longest(int round)
{
	const struct seen *s;

	for (s = seen; s < seen + MOST; s++) {
		if (s->round != round || s->ignored || round - s->since <= longest.age)
			continue;
		longest.age = round - s->since;
		snprintf(longest.comm, sizeof(longest.comm), "%s", s->comm);
		snprintf(longest.stack, sizeof(longest.stack), "%s",
			 text_of(s->pid, s->tid, "stack"));
	}
}

static void say_and_kill(const struct seen *stuck, int round, const char *file)
{
	const struct seen *s;
	int fd;

	printf("FAIL: task %d (%s) is stuck in state D\n", stuck->tid, stuck->comm);
	for (s = seen; s < seen + MOST; s++)
		if (s->round == round)
			printf("%d (%s), in D for %d s:\n%s\n", s->tid, s->comm,
			       round - s->since, text_of(s->pid, s->tid, "stack"));
	fflush(stdout);
	fd = open("/proc/sysrq-trigger", O_WRONLY);
	if (fd >= 0 && write(fd, "w", 1) == 1)
		sleep(2);
	fd = file ? open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
	if (fd >= 0)
		dprintf(fd, "task %s is stuck in state D\n", stuck->comm);
	kill(0, SIGKILL);
}

int main(int argc, char **argv)
{
	int round, limit = argc > 1 ? atoi(argv[1]) : 0;
	struct seen *s;

	if (limit < 1)
		return 2;
	signal(SIGTERM, end);
	for (round = 2; !over; round++) {
		look_at_all(round);
		note_longest(round);
		for (s = seen; s < seen + MOST; s++)
			if (s->round == round && !s->ignored && round - s->since >= limit)
				say_and_kill(s, round, argv[2]);
		sleep(1);
	}
	printf("longest in D: %d s, %s\n%s", longest.age, longest.comm, longest.stack);
	return 0;
}
