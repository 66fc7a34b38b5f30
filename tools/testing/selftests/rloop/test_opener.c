// SPDX-License-Identifier: GPL-2.0
/*
 * Another task opens the device at each of its events, as udev does. The partitions
 * come once, stay, and go once all the same.
 */
#include <pthread.h>
#include <stdatomic.h>
#include "rloop_device.h"
#include "rloop_mbr.h"
#include "rloop_uevent.h"

struct opener {
	const char *disk;
	int sk;
	atomic_int opened;
	atomic_bool stop;
};

/* Opens what the event is about, and reads from it. */
static void *open_at_events(void *arg)
{
	struct opener *o = arg;
	char msg[8192], path[80], sector[512];

	while (!o->stop) {
		ssize_t len = recv(o->sk, msg, sizeof(msg) - 1, 0);
		const char *name, *action;
		int fd;

		if (len <= 0)
			continue;
		msg[len] = 0;
		name = uevent_value(msg, len, "DEVNAME");
		action = uevent_value(msg, len, "ACTION");
		if (!name || strncmp(name, o->disk, strlen(o->disk)) ||
		    (action && !strcmp(action, "remove")))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (read(fd, sector, sizeof(sector)) >= 0)
			o->opened++;
		close(fd);
	}
	return NULL;
}

TEST_F_TIMEOUT(loop, an_opener_at_every_event, 600)
{
	const char *disk = self->sys + strlen("/sys/block/");
	struct timeval timeout = { .tv_usec = 100000 };
	struct opener o = { .disk = disk };
	struct uevents evs;
	char name[2][48];
	pthread_t tid;
	int sk, round, p, rounds = getenv("RLOOP_FEW") ? 6 : 100;

	RLOOP_ONLY();
	sk = uevent_open();
	ASSERT_GE(sk, 0);
	o.sk = uevent_open();
	ASSERT_GE(o.sk, 0);
	setsockopt(o.sk, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	ASSERT_EQ(0, pthread_create(&tid, NULL, open_at_events, &o));
	for (p = 0; p < 2; p++)
		snprintf(name[p], sizeof(name[p]), "%sp%d", disk, p + 1);

	for (round = 0; round < rounds; round++) {
		int file = partitioned_file(FILE_SIZE), before = o.opened, i;

		ASSERT_EQ(0, configure(self->fd, file, LO_FLAGS_PARTSCAN));
		close(file);
		/* With one CPU it has its turn now. */
		for (i = 0; i < 1000 && o.opened == before; i++)
			usleep(1000);
		ASSERT_TRUE(uevent_collect(sk, disk, &evs));
		for (p = 0; p < 2; p++) {
			EXPECT_EQ(1, uevent_count(&evs, "add", name[p]));
			EXPECT_EQ(0, uevent_count(&evs, "remove", name[p]));
			EXPECT_GT(uevent_index(&evs, "add", name[p]),
				  uevent_index(&evs, "change", disk));
		}
		ASSERT_TRUE(detach_and_close(self->fd, self->sys));
		self->fd = open(self->path, O_RDWR | O_CLOEXEC);
		ASSERT_GE(self->fd, 0);
		ASSERT_TRUE(uevent_collect(sk, disk, &evs));
		for (p = 0; p < 2; p++) {
			EXPECT_EQ(0, uevent_count(&evs, "add", name[p]));
			EXPECT_EQ(1, uevent_count(&evs, "remove", name[p]));
		}
		if (!_metadata->exit_code)
			continue;
		TH_LOG("round %d", round);
		break;
	}
	o.stop = true;
	pthread_join(tid, NULL);
	/* It was there: at the change of the disk and both additions, mostly. */
	EXPECT_GT(o.opened, rounds);
	close(sk);
	close(o.sk);
}

struct prober {
	char path[80];
	atomic_bool stop;
};

static void *open_always(void *arg)
{
	struct prober *p = arg;

	while (!p->stop) {
		int fd = open(p->path, O_RDONLY | O_CLOEXEC);

		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

/* An opener of a partition that is being dropped does not keep the next ones from coming. */
TEST_F_TIMEOUT(loop, a_partition_opened_while_it_goes, 600)
{
	struct prober prober = {};
	pthread_t tid;
	char part[96];
	int round, rounds = 100;

	RLOOP_ONLY();
	snprintf(prober.path, sizeof(prober.path), "%sp1", self->path);
	snprintf(part, sizeof(part), "%s/%sp2", self->sys, self->sys + strlen("/sys/block/"));
	ASSERT_EQ(0, pthread_create(&tid, NULL, open_always, &prober));
	for (round = 0; round < rounds && !_metadata->exit_code; round++) {
		int file = partitioned_file(FILE_SIZE);

		ASSERT_EQ(0, configure(self->fd, file, LO_FLAGS_PARTSCAN));
		close(file);
		EXPECT_EQ(0, access(part, F_OK)) TH_LOG("round %d", round);
		ASSERT_TRUE(detach_and_close(self->fd, self->sys));
		self->fd = open(self->path, O_RDWR | O_CLOEXEC);
		ASSERT_GE(self->fd, 0);
		EXPECT_NE(0, access(part, F_OK)) TH_LOG("round %d", round);
	}
	prober.stop = true;
	pthread_join(tid, NULL);
}

TEST_HARNESS_MAIN
