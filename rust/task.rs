// SPDX-License-Identifier: GPL-2.0

//! The name of a task, for users.
//!
//! [`TaskName`] is a copy of what `ps` shows of a task: its process and its command. It keeps no
//! reference to the task, which may be gone when it is read.
//!
//! # Examples
//!
//! ```
//! use kernel_ext::task::TaskName;
//!
//! /// The last task that called an ioctl.
//! struct Caller(TaskName);
//!
//! let caller = Caller(TaskName::current());
//! // When an attribute is shown, perhaps by another task.
//! let _pid = caller.0.pid();
//! let _command = caller.0.comm();
//! ```
//!
//! C header: [`include/linux/sched.h`](srctree/include/linux/sched.h)

use crate::helpers;
use core::ffi::CStr;

/// The process and the command of a task at some time.
#[derive(Clone, Copy)]
pub struct TaskName(helpers::TaskName);

impl TaskName {
    /// Returns those of the current task. In a task only.
    pub fn current() -> Self {
        let mut name = helpers::TaskName::default();
        // SAFETY: `name` is valid for writes.
        unsafe { helpers::kx_task_name(&mut name) };
        Self(name)
    }

    /// Returns the number of the process in the initial PID namespace: `task_tgid_nr()`.
    pub fn pid(&self) -> i32 {
        self.0.pid
    }

    /// Returns the command of the thread: `get_task_comm()`. Users can set it to any bytes.
    pub fn comm(&self) -> &[u8] {
        CStr::from_bytes_until_nul(&self.0.comm).map_or(&[], CStr::to_bytes)
    }
}
