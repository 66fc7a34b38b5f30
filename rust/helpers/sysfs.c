// SPDX-License-Identifier: GPL-2.0
/*
 * sysfs attributes.
 *
 * Series: the callbacks are in unions in 7.3.
 */

#include <linux/device.h>
#include <linux/sysfs.h>

#include "helpers.h"

void kx_device_attribute_init(struct device_attribute *attr, const char *name,
			      umode_t mode,
			      ssize_t (*show)(struct device *dev,
					      struct device_attribute *attr,
					      char *buf),
			      ssize_t (*store)(struct device *dev,
					       struct device_attribute *attr,
					       const char *buf, size_t count))
{
	*attr = (struct device_attribute) {
		.attr	= { .name = name, .mode = mode },
		.show	= show,
		.store	= store,
	};
	sysfs_attr_init(&attr->attr);
}
