// SPDX-License-Identifier: GPL-2.0
/*
 * failslab calls STEP | failslab load MODULE PARAMETERS STEP: each call is made again and
 * again, and its 1st, 2nd, ... allocation fails, or one in STEP of them, until it gets by
 * without another one. A call that fails must leave the device as it was; one that succeeds
 * must have done all of it. Prints the number of allocations of each call, and the errors
 * that it gave.
 */
#include "failslab_calls.h"
#include "failslab_load.h"

/* ---- the switch of the fault injection, which counts the allocations of this task */
static int switch_fd = -1;

static void arm(int nth)
{
	char text[16];
	int n = sprintf(text, "%d", nth);

	if (pwrite(switch_fd, text, n, 0) != n) {
		perror("fail-nth");
		exit(2);
	}
}

/* Whether an allocation has failed since arm(). */
static bool disarm(void)
{
	char text[16] = "";
	bool fired;

	if (pread(switch_fd, text, sizeof(text) - 1, 0) < 1) {
		perror("fail-nth");
		exit(2);
	}
	fired = atoi(text) == 0;
	arm(0);
	return fired;
}

/* ---- the walk */
static int walk(const struct call *c)
{
	int nth, tried, failed = 0, errors[8], n_errors = 0, i;
	/* Of a few, all. */
	int every = c->many ? step : 1;
	bool fired = true;

	snprintf(name, sizeof(name), "%s", c->name);
	for (nth = 1 + getpid() % every; fired && !failures; nth += every) {
		int ret;

		c->before();
		snprintf(name, sizeof(name), "%s, allocation %d", c->name, nth);
		arm(nth);
		ret = c->call();
		fired = disarm();
		if (!fired && ret < 0)
			FAIL("none failed, but the call did: %d", ret);
		if (ret < 0) {
			failed++;
			for (i = 0; i < n_errors && errors[i] != -ret; i++)
				;
			if (i == n_errors && i < 8)
				errors[n_errors++] = -ret;
		}
		c->after(ret);
	}
	nth -= 2 * every;
	tried = nth > 0 ? (nth - 1) / every + 1 : 0;
	printf("%s: %d allocations, %d tried, %d of them make it fail:", c->name, nth, tried,
	       failed);
	for (i = 0; i < n_errors; i++)
		printf(" %s", strerrorname_np(errors[i]));
	putchar('\n');
	fflush(stdout);
	if (direct_fd >= 0 && c->before == before_io && c[1].before != before_io) {
		close(direct_fd);
		direct_fd = -1;
	}
	return tried;
}

int main(int argc, char **argv)
{
	const struct call *c = calls;
	const char *dir = getenv("RLOOP_TMP");
	int total = 0;

	snprintf(tmp, sizeof(tmp), "%s", dir ? dir : "/tmp");
	switch_fd = open("/proc/thread-self/fail-nth", O_RDWR);
	if (switch_fd < 0) {
		puts("SKIP no /proc/thread-self/fail-nth in this kernel");
		return 4;
	}
	if (argc > 2)
		step = atoi(argv[argc - 1]);
	if (argc == 5 && !strcmp(argv[1], "load")) {
		c = loads;
		module_fd = open(argv[2], O_RDONLY);
		parameters = argv[3];
	} else {
		ctl = open(control_node(), O_RDWR | O_CLOEXEC);
		if (ctl < 0 || posix_memalign((void **)&buf, 4096, IO_SIZE) ||
		    posix_memalign((void **)&want, 4096, IO_SIZE))
			return 2;
		file = new_file(O_RDWR);
		other = new_file(O_RDONLY);
	}
	for (; c->name && !failures; c++)
		total += walk(c);
	if (ctl >= 0)
		have_none();
	else
		unload();
	printf("%d allocations walked, %d failures\n", total, failures);
	return failures ? 1 : 0;
}
