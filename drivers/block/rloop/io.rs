// SPDX-License-Identifier: GPL-2.0

//! The data plane: from a request's arrival to its completion.

pub(crate) mod cmd;
pub(crate) mod dio_exclusion;
pub(crate) mod discard;
pub(crate) mod dispatch;
pub(crate) mod rw;
pub(crate) mod workers;
