// SPDX-License-Identifier: GPL-2.0

//! Checking what a user asks of a device in a `loop_info64`.

use crate::uapi::{
    self,
    Info, //
};
use kernel::{
    pr_warn_once,
    prelude::*, //
};

/// What a `loop_info64` says, checked: offset and limit are not negative.
pub(crate) struct Wanted {
    /// Where the disk begins in its backing, in bytes.
    pub(crate) offset: i64,
    /// The most that it uses of its backing, in bytes; 0 for all.
    pub(crate) sizelimit: i64,
    /// The name that the user gives it; ends with a zero byte.
    pub(crate) name: [u8; uapi::NAME_SIZE],
}

impl Wanted {
    /// EINVAL for encryption, which is gone, and EOVERFLOW for an offset or a limit that is
    /// negative as a file offset.
    pub(crate) fn from_info(info: &Info) -> Result<Self> {
        if info.encrypt_key_size as usize > uapi::KEY_SIZE {
            return Err(EINVAL);
        }
        match info.encrypt_type {
            uapi::CRYPT_NONE => (),
            uapi::CRYPT_XOR => {
                pr_warn_once!("support for the xor transformation has been removed\n");
                return Err(EINVAL);
            }
            uapi::CRYPT_CRYPTOAPI => {
                pr_warn_once!("support for cryptoloop has been removed, use dm-crypt\n");
                return Err(EINVAL);
            }
            _ => return Err(EINVAL),
        }
        Ok(Self {
            offset: info.offset.try_into().map_err(|_| EOVERFLOW)?,
            sizelimit: info.sizelimit.try_into().map_err(|_| EOVERFLOW)?,
            name: info.file_name,
        })
    }
}
