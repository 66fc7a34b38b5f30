// SPDX-License-Identifier: GPL-2.0

//! [`DeviceData`]: the driver's data for one disk, and the types that belong to it.

/// The driver's data for one disk, to which `queuedata` and `private_data` lead.
///
/// [`Operations`](super::Operations) extends it by the callbacks.
pub trait DeviceData: Sized + Send + Sync + 'static {
    /// The driver's data for one request, initialised when the tag set is allocated. A request
    /// with its data has to fit in a page.
    type RequestData: Default + Send;

    /// The value that every request in flight can read without a lock; see [`InFlight::published`].
    ///
    /// [`InFlight::published`]: super::InFlight::published
    type Published: Send + Sync;
}
