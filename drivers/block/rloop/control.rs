// SPDX-License-Identifier: GPL-2.0

//! The control node: adding, removing and finding devices.
//!
//! [`Control`] owns all devices of the module, each as a [`Live`] in the [`Slot`] of its number.
//! [`Node`] serves the ioctls of `/dev/loop-control`, and [`Probe`] adds a device when a node
//! without a device is opened.

use crate::{
    backing::idle_limits,
    device::{
        LoopDevice,
        Shared,
        State, //
    },
    params::{
        Params,
        MINOR_BITS, //
    }, //
};
use abi_layout::cmd;
use kernel::{
    pr_warn_once,
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNodeReservation, //
    },
    sync::Arc, //
};
use kernel_ext::{
    block::{
        gen_disk::{
            DiskConfig,
            DiskRegistration, //
        },
        limits::Limits,
        major::Probe,
        mq::{
            TagSet,
            TagSetConfig, //
        }, //
    },
    errno,
    miscdevice,
    new_killable_mutex,
    sync::{
        KillableGuard,
        KillableMutex, //
    }, //
};

/// The devices of the module.
#[pin_data]
pub(crate) struct Control {
    shared: Arc<Shared>,
    major: u32,
    depth: u32,
    poll_queues: u32,
    probe_limit: u32,
    #[pin]
    devices: KillableMutex<RBTree<u32, Slot>>,
}

/// The state of a number that is in use.
enum Slot {
    /// The device is being added or removed, without the lock held.
    Busy,
    Live(Live),
}

/// A device with its disk. Dropping it removes the disk; the device must be unbound.
struct Live {
    dev: Arc<LoopDevice>,
    disk: DiskRegistration<LoopDevice>,
}

impl Drop for Live {
    fn drop(&mut self) {
        // A worker may still hold a reference to the disk. Dropping the last reference in a worker
        // of the device would wait for that worker.
        self.dev.drain();
    }
}

impl Control {
    pub(crate) fn new(shared: Arc<Shared>, major: u32, params: Params) -> impl PinInit<Self> {
        pin_init!(Self {
            shared,
            major,
            depth: params.depth,
            poll_queues: params.poll_queues,
            probe_limit: params.probe_limit,
            devices <- new_killable_mutex!(RBTree::new(), "rloop_control"),
        })
    }

    /// Adds the device with this number, or with the lowest free one. Sleeps. Fails with EEXIST if
    /// the device exists, EINVAL if the number has no minors, ENOMEM, and EINTR if the task is
    /// killed.
    pub(crate) fn add(&self, number: Option<u32>) -> Result<u32> {
        let node = RBTreeNodeReservation::new(GFP_KERNEL)?;
        let mut devices = self.devices.lock_killable()?;
        let number = match number {
            Some(n) if devices.get(&n).is_some() => return Err(EEXIST),
            Some(n) => n,
            None => lowest_free(&devices),
        };
        if number >= 1 << (MINOR_BITS - self.shared.part_shift) {
            return Err(EINVAL);
        }
        devices.insert(node.into_node(number, Slot::Busy));
        drop(devices);

        // Adding a disk makes other tasks open it. None of that needs the lock, so it is not held.
        let made = self.make(number);
        let mut devices = self.devices.lock();
        match made {
            Ok(live) => {
                if let Some(slot) = devices.get_mut(&number) {
                    *slot = Slot::Live(live);
                }
                Ok(number)
            }
            Err(e) => {
                devices.remove(&number);
                Err(e)
            }
        }
    }

    fn make(&self, number: u32) -> Result<Live> {
        let dev = Arc::pin_init(LoopDevice::new(number, self.shared.clone()), GFP_KERNEL)?;
        let tags = KBox::pin_init(
            TagSet::new(TagSetConfig {
                depth: self.depth,
                poll_queues: self.poll_queues,
            }),
            GFP_KERNEL,
        )?;
        let mut limits = Limits::new();
        idle_limits(&mut limits);
        let disk = DiskRegistration::new(
            DiskConfig {
                name: fmt!("{}{number}", self.shared.prefix),
                major: self.major,
                minor: number << self.shared.part_shift,
                minors: 1 << self.shared.part_shift,
                partscan: self.shared.scans_always(),
                limits,
            },
            self.shared.directories.state.clone(),
            tags,
            dev.clone(),
        )?;
        Ok(Live { dev, disk })
    }

    /// Removes a device. Sleeps. Fails with ENODEV if it does not exist, EBUSY if it is bound or
    /// open, EINVAL for a negative number, and EINTR if the task is killed.
    fn remove(&self, number: i32) -> Result {
        let Ok(number) = u32::try_from(number) else {
            pr_warn_once!("deleting an unspecified loop device is not supported\n");
            return Err(EINVAL);
        };
        let live = self.take(number)?;
        // A device may hold its state lock for long, so the lock of all devices is not held here.
        match Self::retire(&live) {
            Ok(()) => {
                drop(live);
                self.devices.lock().remove(&number);
                Ok(())
            }
            Err(e) => {
                if let Some(slot) = self.devices.lock().get_mut(&number) {
                    *slot = Slot::Live(live);
                }
                Err(e)
            }
        }
    }

    /// Takes a device out of its slot, so that no other task removes it. The number stays in use.
    fn take(&self, number: u32) -> Result<Live> {
        let mut devices = self.devices.lock_killable()?;
        let slot = devices.get_mut(&number).ok_or(ENODEV)?;
        match core::mem::replace(slot, Slot::Busy) {
            Slot::Live(live) => Ok(live),
            Slot::Busy => Err(ENODEV),
        }
    }

    /// Makes later opens and binds of a device fail. Fails with EBUSY if it is bound or open
    /// already.
    fn retire(live: &Live) -> Result {
        let mut state = live.dev.state()?;
        if !matches!(*state, State::Unbound) || live.disk.openers() > 0 {
            return Err(EBUSY);
        }
        *state = State::Deleting;
        Ok(())
    }

    /// Returns the lowest number whose device is not bound, and adds a device if all are. Sleeps.
    fn get_free(&self) -> Result<u32> {
        let free = self
            .devices
            .lock_killable()?
            .iter()
            // has_status() does not lock the state. Losing a race adds one more device, which does
            // no harm.
            .find(|(_, slot)| matches!(slot, Slot::Live(live) if !live.dev.has_status()))
            .map(|(number, _)| *number);
        match free {
            Some(number) => Ok(number),
            None => self.add(None),
        }
    }
}

fn lowest_free(devices: &KillableGuard<'_, RBTree<u32, Slot>>) -> u32 {
    let mut number = 0;
    for taken in devices.keys() {
        if *taken != number {
            break;
        }
        number += 1;
    }
    number
}

/// Adds the device of a node that was opened without one.
impl Probe for Control {
    fn probe(&self, minor: u32) {
        let number = minor >> self.shared.part_shift;
        if self.probe_limit != 0 && number >= self.probe_limit {
            return;
        }
        // The open then fails with ENXIO, whatever the error here.
        let _ = self.add(Some(number));
    }
}

/// The data of the control node.
pub(crate) struct Node(pub Arc<Control>);

impl miscdevice::Operations for Node {
    fn ioctl(&self, cmd: u32, arg: usize) -> Result<i32> {
        let number = match cmd {
            // A negative number selects the lowest free one.
            cmd::CTL_ADD => self.0.add(u32::try_from(arg as i32).ok())?,
            cmd::CTL_REMOVE => {
                self.0.remove(arg as i32)?;
                0
            }
            cmd::CTL_GET_FREE => self.0.get_free()?,
            _ => return Err(errno::nosys()),
        };
        Ok(number as i32)
    }
}
