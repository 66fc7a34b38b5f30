/* SPDX-License-Identifier: GPL-2.0 */
/* Of failslab.c: loading the module, and unloading it. */
#ifndef FAILSLAB_LOAD_H
#define FAILSLAB_LOAD_H

#include "failslab_device.h"

/* ---- load and unload */
static int module_fd = -1;
static const char *parameters = "";
static int step = 1;

static bool driver_in(const char *path)
{
	char line[128];
	bool found = false;
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f)) {
		char *word = strrchr(line, ' ');

		line[strcspn(line, "\n")] = 0;
		found |= word && !strncmp(word + 1, prefix(), strlen(prefix()));
	}
	if (f)
		fclose(f);
	return found;
}

static void unload(void)
{
	int i;

	for (i = 0; i < 500 && exists("/sys/module/rloop"); i++) {
		if (i)
			usleep(10000);
		syscall(SYS_delete_module, "rloop", O_NONBLOCK);
	}
}

static int call_load(void)
{
	return result(syscall(SYS_finit_module, module_fd, parameters, 0));
}

static void after_load(int ret)
{
	if (!ret)
		return;
	if (exists("/sys/module/rloop"))
		FAIL("error %d, but the module is there", ret);
	if (disks())
		FAIL("error %d, but %d disks are there", ret, disks());
	if (driver_in("/proc/devices"))
		FAIL("error %d, but its major is there", ret);
	if (driver_in("/proc/misc"))
		FAIL("error %d, but its control node is there", ret);
}

static void have_loaded(void)
{
	if (!exists("/sys/module/rloop") && call_load())
		FAIL("can't be loaded: %s", strerror(errno));
}

static int call_unload(void)
{
	return result(syscall(SYS_delete_module, "rloop", O_NONBLOCK));
}

static void after_unload(int ret)
{
	if (!ret)
		after_load(-ENOMEM);
}

static const struct call loads[] = {
	{ "load", unload, call_load, after_load, true },
	{ "unload", have_loaded, call_unload, after_unload },
	{ NULL }
};

#endif
