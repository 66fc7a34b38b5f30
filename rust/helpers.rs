// SPDX-License-Identifier: GPL-2.0

//! Declarations of the C shims in `rust/helpers/*.c`.
//!
//! The prototypes are those of `rust/helpers/helpers.h`. A shim is named after the C function or
//! the field that it wraps. Types that both languages share by value or by pointer are declared
//! twice, here and in the header, and must have the same layout.

use core::mem::{
    offset_of,
    MaybeUninit, //
};
use kernel::{
    bindings::{
        attribute_group,
        bio,
        bio_set,
        bio_vec,
        blk_mq_hw_ctx,
        blk_mq_tag_set,
        blk_plug,
        block_device,
        bvec_iter,
        delayed_work,
        device,
        device_attribute,
        file,
        gendisk,
        iov_iter,
        kiocb,
        mutex,
        queue_limits,
        request,
        request_queue,
        rq_list,
        spinlock,
        super_block,
        work_struct,
        workqueue_struct, //
    },
    ffi::{
        c_char,
        c_int,
        c_long,
        c_uint,
        c_ulong,
        c_ushort,
        c_void, //
    }, //
};

#[cfg(CONFIG_TRACEPOINTS)]
use kernel::bindings::tracepoint;

/// `kiocb::ki_complete`.
pub(crate) type KiComplete = unsafe extern "C" fn(iocb: *mut kiocb, ret: c_long);

/// `device_attribute::show`.
pub(crate) type Show =
    unsafe extern "C" fn(dev: *mut device, attr: *mut device_attribute, buf: *mut c_char) -> isize;

/// `device_attribute::store`.
pub(crate) type Store = unsafe extern "C" fn(
    dev: *mut device,
    attr: *mut device_attribute,
    buf: *const c_char,
    count: usize,
) -> isize;

/// `struct kx_charge`: the previous memory cgroup of the task, and the reference to the new one.
#[repr(C)]
pub(crate) struct Charge {
    memcg_css: *mut c_void,
    old: *mut c_void,
}

impl Default for Charge {
    fn default() -> Self {
        Self {
            memcg_css: core::ptr::null_mut(),
            old: core::ptr::null_mut(),
        }
    }
}

/// `struct kx_task_name`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct TaskName {
    pub(crate) pid: c_int,
    pub(crate) comm: [u8; shim_layout::TASK_COMM_SIZE],
}

/// `struct kx_extent`, in 512-byte sectors.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) start: u64,
    pub(crate) lower: u64,
}

/// `struct kx_pin`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct RawPin {
    pub(crate) extents: *mut Extent,
    pub(crate) bdev: *mut block_device,
    pub(crate) nr: c_uint,
}

impl Default for RawPin {
    fn default() -> Self {
        Self {
            extents: core::ptr::null_mut(),
            bdev: core::ptr::null_mut(),
            nr: 0,
        }
    }
}

/// `struct kx_inline`: the state of the task that `kx_inline_enter()` sets aside.
#[repr(C)]
pub(crate) struct InlineState {
    journal_info: usize,
    bio_list: usize,
    plug: usize,
    read_bytes: u64,
    write_bytes: u64,
    memflags: c_uint,
    pub(crate) guard: u8,
    css: usize,
    own: MaybeUninit<blk_plug>,
}

/// `kx_defer_fn`.
pub(crate) type Defer = unsafe extern "C" fn(rq: *mut request, good: c_uint, status: u8);

/// `bio_end_io_t`.
pub(crate) type BioEndIo = unsafe extern "C" fn(*mut bio);

/// The flags of `kx_kiocb_init()`: `KX_IO_DIRECT` and so on.
pub(crate) mod io {
    use shim_layout as c;

    pub(crate) const DIRECT: u32 = c::IO_DIRECT as u32;
    pub(crate) const DSYNC: u32 = c::IO_DSYNC as u32;
    pub(crate) const DONTCACHE: u32 = c::IO_DONTCACHE as u32;
    pub(crate) const NOWAIT: u32 = c::IO_NOWAIT as u32;
    pub(crate) const NOIO: u32 = c::IO_NOIO as u32;
    pub(crate) const POLLED: u32 = c::IO_POLLED as u32;
}

const _: () = assert!(size_of::<Charge>() == shim_layout::CHARGE_SIZE);
const _: () = assert!(size_of::<TaskName>() == shim_layout::TASK_NAME_SIZE);
const _: () = assert!(size_of::<InlineState>() == shim_layout::INLINE_SIZE);
const _: () = assert!(size_of::<Extent>() == shim_layout::EXTENT_SIZE);
const _: () = assert!(size_of::<RawPin>() == shim_layout::PIN_BYTES);
const _: () = assert!(offset_of!(InlineState, guard) == shim_layout::INLINE_GUARD);

#[expect(improper_ctypes)] // Empty structs of C, as in the bindings crate.
extern "C" {
    pub(crate) fn kx_rq_blkcg(rq: *const request) -> *mut c_void;
    pub(crate) fn kx_charge_enter(rq: *const request, charge: *mut Charge) -> bool;
    pub(crate) fn kx_charge_leave(charge: *const Charge);

    pub(crate) fn kx_cond_resched();

    pub(crate) fn kx_plug_postpone(list: *mut rq_list, requests: c_ushort) -> bool;
    pub(crate) fn kx_inline_enter(s: *mut InlineState, first: *const request, requests: c_ushort);
    pub(crate) fn kx_inline_leave(s: *mut InlineState, requests: c_ushort);
    pub(crate) fn kx_inline_guard(s: *const InlineState, rq: *const request) -> c_uint;
    pub(crate) fn kx_inline_is_worker() -> bool;

    pub(crate) fn kx_rq_end(rq: *mut request, status: u8, defer: Defer);
    pub(crate) fn kx_rq_end_part(rq: *mut request, status: u8, defer: Defer, good: c_uint);

    #[cfg(CONFIG_TRACEPOINTS)]
    pub(crate) static __tracepoint_rloop_submit: tracepoint;
    #[cfg(CONFIG_TRACEPOINTS)]
    pub(crate) static __tracepoint_rloop_fallback: tracepoint;
    #[cfg(CONFIG_TRACEPOINTS)]
    pub(crate) static __tracepoint_rloop_complete: tracepoint;
    pub(crate) fn kx_trace_submit(rq: *mut request);
    pub(crate) fn kx_trace_fallback(rq: *mut request, reason: *const c_char);
    pub(crate) fn kx_trace_complete(rq: *mut request, status: u8);

    pub(crate) fn kx_counters_alloc(bytes: c_uint) -> *mut u64;
    pub(crate) fn kx_counters_free(counters: *mut u64);
    pub(crate) fn kx_counters_add(counters: *mut u64, i: c_uint);
    pub(crate) fn kx_counters_add_two(counters: *mut u64, i: c_uint, j: c_uint);
    pub(crate) fn kx_counters_sum(counters: *mut u64, i: c_uint) -> u64;

    pub(crate) fn kx_rq_list_count(list: *mut rq_list) -> c_ushort;
    pub(crate) fn kx_rq_list_pop(list: *mut rq_list) -> *mut request;
    pub(crate) fn kx_bio_iter_bvec(bio: *const bio, iter: *const bvec_iter, bvec: *mut bio_vec);
    pub(crate) fn kx_bio_advance_iter(bio: *const bio, iter: *mut bvec_iter, bytes: c_uint);
    pub(crate) fn kx_bio_remap(
        clone: *mut bio,
        rq: *const request,
        file: *const file,
        sector: u64,
        more: c_uint,
        end_io: BioEndIo,
    ) -> bool;
    pub(crate) fn kx_rq_complete(rq: *mut request);
    pub(crate) fn kx_bio_remap_submit(clone: *mut bio);
    pub(crate) fn kx_bio_remapped(clone: *mut bio) -> c_int;
    pub(crate) fn kx_bdev_may_write(bdev: *mut block_device) -> bool;
    pub(crate) fn kx_lower_init(
        bio: *mut bio,
        rq: *const request,
        bdev: *mut block_device,
        sector: u64,
        more: c_uint,
        end_io: BioEndIo,
        sb: *mut super_block,
    );
    pub(crate) fn kx_lower_submit(bio: *mut bio);
    pub(crate) fn kx_lower_submit_piece(
        parent: *mut bio,
        src: *mut bio,
        skip: c_uint,
        bytes: c_uint,
        sector: u64,
        bios: *mut bio_set,
    ) -> bool;
    pub(crate) fn kx_lower_submitted(parent: *mut bio, all: bool);
    pub(crate) fn kx_lower_ended(bio: *mut bio) -> c_int;
    pub(crate) fn kx_iov_iter_bio(iter: *mut iov_iter, direction: c_uint, bio: *const bio);
    pub(crate) fn kx_iov_iter_count(iter: *const iov_iter) -> usize;

    pub(crate) fn kx_disk_uevent_change(disk: *mut gendisk);
    pub(crate) fn kx_disk_uevent_partitions_add(disk: *mut gendisk);
    pub(crate) fn kx_disk_suppress_uevents(disk: *mut gendisk, suppress: bool);
    pub(crate) fn kx_disk_set_partscan(disk: *mut gendisk, enable: bool);
    pub(crate) fn kx_disk_set_media_change_events(disk: *mut gendisk);
    pub(crate) fn kx_disk_get(disk: *mut gendisk);
    pub(crate) fn kx_disk_put(disk: *mut gendisk);
    pub(crate) fn kx_disk_openers(disk: *mut gendisk) -> c_uint;
    pub(crate) fn kx_disk_scan_partitions(disk: *mut gendisk) -> c_int;
    pub(crate) fn kx_disk_drop_partitions(disk: *mut gendisk) -> c_int;
    pub(crate) fn kx_disk_create_group(disk: *mut gendisk, group: *const attribute_group) -> c_int;
    pub(crate) fn kx_disk_remove_group(disk: *mut gendisk, group: *const attribute_group);
    pub(crate) fn kx_dev_to_disk(dev: *mut device) -> *mut gendisk;
    pub(crate) fn kx_bdev_sync_and_invalidate(bdev: *mut block_device) -> c_int;
    pub(crate) fn kx_bdev_nr_sectors(bdev: *mut block_device) -> u64;

    pub(crate) fn kx_freeze_queue(q: *mut request_queue) -> c_uint;
    pub(crate) fn kx_unfreeze_queue(q: *mut request_queue, memflags: c_uint);
    pub(crate) fn kx_queue_is_busy(q: *mut request_queue) -> bool;
    pub(crate) fn kx_queue_wait_issued(q: *mut request_queue);
    pub(crate) fn kx_limits_start_update(q: *mut request_queue, lim: *mut queue_limits);
    pub(crate) fn kx_limits_cancel_update(q: *mut request_queue);
    pub(crate) fn kx_limits_set_stable_writes(lim: *mut queue_limits, stable: bool);
    pub(crate) fn kx_limits_set_atomic_units(lim: *mut queue_limits, min: c_uint, max: c_uint);
    pub(crate) fn kx_limits_set_features(
        lim: *mut queue_limits,
        write_cache: bool,
        fua: bool,
        rotational: bool,
    );
    pub(crate) fn kx_disk_pass_on(disk: *mut gendisk, on: bool);
    pub(crate) fn kx_disk_leave_wbt_off(disk: *mut gendisk);
    pub(crate) fn kx_tag_set_flags() -> c_uint;

    pub(crate) fn kx_tag_set_add_poll_queues(set: *mut blk_mq_tag_set, polled: c_uint);
    pub(crate) fn kx_map_queues(set: *mut blk_mq_tag_set);
    pub(crate) fn kx_rq_polls_on(rq: *const request, file: *const file) -> bool;
    pub(crate) fn kx_rq_polls_on_bdev(rq: *const request, bdev: *mut block_device) -> bool;
    pub(crate) fn kx_poll_hctx(
        hctx: *mut blk_mq_hw_ctx,
        poll: unsafe extern "C" fn(rq: *mut request) -> c_int,
    ) -> c_int;
    pub(crate) fn kx_bio_poll(bio: *mut bio) -> c_int;
    pub(crate) fn kx_kiocb_poll(iocb: *mut kiocb) -> c_int;

    pub(crate) fn kx_file_get(fd: c_uint) -> *mut file;
    pub(crate) fn kx_file_path(file: *mut file, buf: *mut c_char, len: c_int) -> *mut c_char;
    pub(crate) fn kx_file_ops(file: *const file) -> c_uint;
    pub(crate) fn kx_file_traits(file: *const file) -> c_uint;
    pub(crate) fn kx_file_bdev(file: *const file) -> *mut block_device;
    pub(crate) fn kx_file_sb_bdev(file: *const file) -> *mut block_device;
    pub(crate) fn kx_bdev_rotational(bdev: *mut block_device) -> bool;
    pub(crate) fn kx_bdev_nowait(bdev: *mut block_device) -> bool;
    pub(crate) fn kx_bdev_write_cache(bdev: *mut block_device) -> bool;
    pub(crate) fn kx_bdev_stable_writes(bdev: *mut block_device) -> bool;
    pub(crate) fn kx_bdev_is_mq(bdev: *mut block_device) -> bool;
    pub(crate) fn kx_bdev_dio_limits(
        bdev: *mut block_device,
        offset: *mut c_uint,
        mem: *mut c_uint,
    );
    pub(crate) fn kx_bdev_space_limits(
        bdev: *mut block_device,
        granularity: *mut c_uint,
        max_zeroes: *mut c_uint,
    );
    pub(crate) fn kx_bdev_request_size(
        bdev: *mut block_device,
        sectors: *mut c_uint,
        segments: *mut c_ushort,
        segment: *mut c_uint,
    );
    pub(crate) fn kx_bdev_atomic_units(bdev: *mut block_device, min: *mut c_uint, max: *mut c_uint);
    pub(crate) fn kx_file_size(file: *mut file, size: *mut i64) -> c_int;
    pub(crate) fn kx_file_prepare_direct(file: *mut file) -> c_int;
    pub(crate) fn kx_file_dio_align(file: *mut file, offset: *mut c_uint, mem: *mut c_uint)
        -> bool;
    pub(crate) fn kx_file_identity(
        file: *mut file,
        dev: *mut u64,
        ino: *mut u64,
        rdev: *mut u64,
    ) -> c_int;
    pub(crate) fn kx_file_block_size(file: *mut file, bsize: *mut c_uint) -> c_int;
    pub(crate) fn kx_file_write_back(file: *mut file) -> c_int;
    pub(crate) fn kx_file_invalidate_range(file: *mut file, pos: i64, len: c_uint) -> c_int;
    pub(crate) fn kx_file_restrict_gfp(file: *mut file) -> c_uint;
    pub(crate) fn kx_file_mapping_id(file: *const file) -> usize;
    pub(crate) fn kx_file_restore_gfp(file: *mut file, old: c_uint);

    pub(crate) fn kx_bios_alloc() -> *mut bio_set;
    pub(crate) fn kx_bios_free(bios: *mut bio_set);
    pub(crate) fn kx_user_page_map() -> c_ulong;
    pub(crate) fn kx_user_page_unmap(page: c_ulong);
    pub(crate) fn kx_pin(file: *mut file, page: c_ulong, pin: *mut RawPin) -> c_int;
    pub(crate) fn kx_unpin(file: *mut file);
    pub(crate) fn kx_pin_free(pin: *mut RawPin);
    pub(crate) fn kx_pin_is_touched(file: *mut file) -> bool;
    pub(crate) fn kx_pin_update_time(file: *mut file) -> bool;
    pub(crate) fn kx_pin_start_write(file: *mut file, nowait: bool) -> c_int;
    pub(crate) fn kx_file_range_is_cached(file: *mut file, pos: i64, len: c_uint) -> bool;
    pub(crate) fn kx_file_needs_sync(file: *mut file) -> bool;

    pub(crate) fn kx_kiocb_init(
        iocb: *mut kiocb,
        file: *mut file,
        pos: i64,
        rq: *mut request,
        flags: c_uint,
        complete: KiComplete,
    );
    pub(crate) fn kx_kiocb_start_write(iocb: *mut kiocb) -> bool;
    pub(crate) fn kx_kiocb_submit(iocb: *mut kiocb, iter: *mut iov_iter, write: bool) -> isize;
    pub(crate) fn kx_kiocb_submit_bio(iocb: *mut kiocb, bio: *const bio, write: bool) -> isize;
    pub(crate) fn kx_kiocb_end_poll(iocb: *mut kiocb);
    pub(crate) fn kx_kiocb_end_write(iocb: *mut kiocb);

    pub(crate) fn kx_alloc_workqueue(name: *const c_char, high: bool) -> *mut workqueue_struct;
    pub(crate) fn kx_init_work(
        work: *mut work_struct,
        func: unsafe extern "C" fn(work: *mut work_struct),
    );
    pub(crate) fn kx_flush_workqueue(wq: *mut workqueue_struct);
    pub(crate) fn kx_queue_work(wq: *mut workqueue_struct, work: *mut work_struct) -> bool;
    pub(crate) fn kx_init_bh_work(
        work: *mut work_struct,
        func: unsafe extern "C" fn(work: *mut work_struct),
    );
    pub(crate) fn kx_queue_bh_work(work: *mut work_struct);
    pub(crate) fn kx_init_delayed_work(
        work: *mut delayed_work,
        func: unsafe extern "C" fn(work: *mut work_struct),
    );
    pub(crate) fn kx_queue_delayed_work(work: *mut delayed_work, ms: c_uint);
    pub(crate) fn kx_hasten_delayed_work(work: *mut delayed_work);
    pub(crate) fn kx_cancel_delayed_work(work: *mut delayed_work);
    pub(crate) fn kx_io_worker_enter() -> c_uint;
    pub(crate) fn kx_io_worker_leave(old: c_uint);

    pub(crate) fn kx_device_attribute_init(
        attr: *mut device_attribute,
        name: *const c_char,
        mode: c_ushort,
        show: Option<Show>,
        store: Option<Store>,
    );

    pub(crate) fn kx_spin_lock_irqsave(lock: *mut spinlock) -> c_ulong;
    pub(crate) fn kx_spin_unlock_irqrestore(lock: *mut spinlock, flags: c_ulong);
    pub(crate) fn kx_mutex_lock_killable(lock: *mut mutex) -> c_int;
    pub(crate) fn kx_capable_sys_admin() -> bool;
    pub(crate) fn kx_task_name(name: *mut TaskName);
    pub(crate) fn kx_minor(dev: u32) -> c_uint;
    pub(crate) fn kx_open_mode(mode: c_uint) -> c_uint;
    pub(crate) fn kx_noop_llseek(file: *mut file, offset: i64, whence: c_int) -> i64;
}
