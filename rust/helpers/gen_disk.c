// SPDX-License-Identifier: GPL-2.0
/* struct gendisk and struct block_device. */

#include <linux/blkdev.h>
#include <linux/device.h>
#include <linux/kobject.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sysfs.h>
#include <linux/xarray.h>

#include "helpers.h"

void kx_disk_uevent_change(struct gendisk *disk)
{
	kobject_uevent(&disk_to_dev(disk)->kobj, KOBJ_CHANGE);
}

/* As disk_uevent(), but for the partitions only. */
void kx_disk_uevent_partitions_add(struct gendisk *disk)
{
	struct block_device *part;
	unsigned long idx;

	rcu_read_lock();
	xa_for_each_start(&disk->part_tbl, idx, part, 1) {
		if (!bdev_nr_sectors(part))
			continue;
		if (!kobject_get_unless_zero(&part->bd_device.kobj))
			continue;
		rcu_read_unlock();
		kobject_uevent(bdev_kobj(part), KOBJ_ADD);
		put_device(&part->bd_device);
		rcu_read_lock();
	}
	rcu_read_unlock();
}

void kx_disk_suppress_uevents(struct gendisk *disk, bool suppress)
{
	dev_set_uevent_suppress(disk_to_dev(disk), suppress);
}

void kx_disk_set_partscan(struct gendisk *disk, bool enable)
{
	if (enable)
		clear_bit(GD_SUPPRESS_PART_SCAN, &disk->state);
	else
		set_bit(GD_SUPPRESS_PART_SCAN, &disk->state);
}

void kx_disk_set_media_change_events(struct gendisk *disk)
{
	disk->events = DISK_EVENT_MEDIA_CHANGE;
	disk->event_flags = DISK_EVENT_FLAG_UEVENT;
}

void kx_disk_get(struct gendisk *disk)
{
	get_device(disk_to_dev(disk));
}

void kx_disk_put(struct gendisk *disk)
{
	put_device(disk_to_dev(disk));
}

unsigned int kx_disk_openers(struct gendisk *disk)
{
	return disk_openers(disk);
}

int kx_disk_scan_partitions(struct gendisk *disk)
{
	int ret;

	mutex_lock(&disk->open_mutex);
	ret = bdev_disk_changed(disk, false);
	mutex_unlock(&disk->open_mutex);
	return ret;
}

/*
 * Drops the partitions of a disk without a size. Called with open_mutex held.
 *
 * A task that has looked up a partition and waits for open_mutex would open the
 * dropped partition, and its open count would keep new partitions from being
 * added. bdev_open() fails for a partition without a size, so clear the sizes
 * first.
 */
int kx_disk_drop_partitions(struct gendisk *disk)
{
	struct block_device *part;
	unsigned long idx;

	lockdep_assert_held(&disk->open_mutex);
	xa_for_each_start(&disk->part_tbl, idx, part, 1) {
		spin_lock(&part->bd_size_lock);
		i_size_write(part->bd_mapping->host, 0);
		part->bd_nr_sectors = 0;
		spin_unlock(&part->bd_size_lock);
	}
	return bdev_disk_changed(disk, false);
}

int kx_disk_create_group(struct gendisk *disk,
			 const struct attribute_group *group)
{
	return sysfs_create_group(&disk_to_dev(disk)->kobj, group);
}

void kx_disk_remove_group(struct gendisk *disk,
			  const struct attribute_group *group)
{
	sysfs_remove_group(&disk_to_dev(disk)->kobj, group);
}

struct gendisk *kx_dev_to_disk(struct device *dev)
{
	return dev_to_disk(dev);
}

int kx_bdev_sync_and_invalidate(struct block_device *bdev)
{
	int ret = sync_blockdev(bdev);

	invalidate_bdev(bdev);
	return ret;
}

sector_t kx_bdev_nr_sectors(struct block_device *bdev)
{
	return bdev_nr_sectors(bdev);
}
