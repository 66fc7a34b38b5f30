/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's uevents of one disk and its partitions, in order. An event that
 * we make ourselves marks the end of a list, so that nothing waits for time to pass.
 */
#ifndef RLOOP_UEVENT_H
#define RLOOP_UEVENT_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <sys/socket.h>
#include "rloop_trace.h"

#define FENCE_UUID	"5a1d7b9e-8b1f-4c6e-9a57-2f6e0c1d3b4a"
#define MAX_EVENTS	64

struct uevent {
	char action[16];
	char name[32];		/* loop0, loop0p1 */
	bool resize;
	bool media_change;
};

struct uevents {
	int n;
	struct uevent ev[MAX_EVENTS];
};

static inline int uevent_open(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int size = 1 << 20;
	int sk = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	if (sk < 0)
		return -1;
	setsockopt(sk, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(sk, (struct sockaddr *)&addr, sizeof(addr))) {
		close(sk);
		return -1;
	}
	return sk;
}

static inline const char *uevent_value(const char *msg, size_t len, const char *key)
{
	const char *p;

	for (p = msg; p < msg + len; p += strlen(p) + 1)
		if (!strncmp(p, key, strlen(key)) && p[strlen(key)] == '=')
			return p + strlen(key) + 1;
	return NULL;
}

/* All events of @disk since the last call (or since uevent_open). */
static inline bool uevent_collect(int sk, const char *disk, struct uevents *evs)
{
	const char *fence = "change " FENCE_UUID;
	char msg[8192];
	int fd = open("/sys/devices/virtual/mem/null/uevent", O_WRONLY);
	bool sent = fd >= 0 && write(fd, fence, strlen(fence)) > 0;

	if (fd >= 0)
		close(fd);
	memset(evs, 0, sizeof(*evs));
	while (sent) {
		ssize_t len = recv(sk, msg, sizeof(msg) - 1, 0);
		const char *name, *synth;
		struct uevent *ev;
		size_t n;

		if (len <= 0)
			return false;
		msg[len] = 0;
		synth = uevent_value(msg, len, "SYNTH_UUID");
		if (synth && !strcmp(synth, FENCE_UUID))
			return true;
		/* udev asks for events of its own. */
		if (synth)
			continue;
		name = uevent_value(msg, len, "DEVNAME");
		n = strlen(disk);
		if (!name || strncmp(name, disk, n) || (name[n] && name[n] != 'p'))
			continue;
		if (evs->n == MAX_EVENTS)
			return false;
		ev = &evs->ev[evs->n++];
		snprintf(ev->name, sizeof(ev->name), "%s", name);
		snprintf(ev->action, sizeof(ev->action), "%s",
			 uevent_value(msg, len, "ACTION") ?: "");
		ev->resize = uevent_value(msg, len, "RESIZE");
		ev->media_change = uevent_value(msg, len, "DISK_MEDIA_CHANGE");
		trace("uevent %s %s%s%s", ev->action, ev->name, ev->resize ? " resize" : "",
		      ev->media_change ? " media change" : "");
	}
	return false;
}

static inline int uevent_count(const struct uevents *evs, const char *action, const char *name)
{
	int i, n = 0;

	for (i = 0; i < evs->n; i++)
		n += !strcmp(evs->ev[i].action, action) && !strcmp(evs->ev[i].name, name);
	return n;
}

/* Where the first of them is in the list, -1 if there is none. */
static inline int uevent_index(const struct uevents *evs, const char *action, const char *name)
{
	int i;

	for (i = 0; i < evs->n; i++)
		if (!strcmp(evs->ev[i].action, action) && !strcmp(evs->ev[i].name, name))
			return i;
	return -1;
}

#endif
