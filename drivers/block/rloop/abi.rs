// SPDX-License-Identifier: GPL-2.0

//! The ABI of `include/uapi/linux/rloop.h`: numbers, and structs to and from bytes.
//!
//! Uses `core` alone, so that it is also tested on the host. `layout.rs` checks it against the
//! header when the module is built.

/// ioctl numbers of a disk and of the control node.
pub(crate) mod cmd {
    pub(crate) const SET_FD: u32 = 0x4C00;
    pub(crate) const CLR_FD: u32 = 0x4C01;
    pub(crate) const SET_STATUS: u32 = 0x4C02;
    pub(crate) const GET_STATUS: u32 = 0x4C03;
    pub(crate) const SET_STATUS64: u32 = 0x4C04;
    pub(crate) const GET_STATUS64: u32 = 0x4C05;
    pub(crate) const CHANGE_FD: u32 = 0x4C06;
    pub(crate) const SET_CAPACITY: u32 = 0x4C07;
    pub(crate) const SET_DIRECT_IO: u32 = 0x4C08;
    pub(crate) const SET_BLOCK_SIZE: u32 = 0x4C09;
    pub(crate) const CONFIGURE: u32 = 0x4C0A;
    pub(crate) const CTL_ADD: u32 = 0x4C80;
    pub(crate) const CTL_REMOVE: u32 = 0x4C81;
    pub(crate) const CTL_GET_FREE: u32 = 0x4C82;
}

/// `LO_FLAGS_*`.
pub(crate) mod flag {
    pub(crate) const READ_ONLY: u32 = 1;
    pub(crate) const AUTOCLEAR: u32 = 4;
    pub(crate) const PARTSCAN: u32 = 8;
    pub(crate) const DIRECT_IO: u32 = 16;
    /// What LOOP_CONFIGURE may set.
    pub(crate) const CONFIGURABLE: u32 = READ_ONLY | AUTOCLEAR | PARTSCAN | DIRECT_IO;
}

/// `LO_NAME_SIZE`.
pub(crate) const NAME_SIZE: usize = 64;
/// `LO_KEY_SIZE`.
pub(crate) const KEY_SIZE: usize = 32;

pub(crate) const CRYPT_NONE: u32 = 0;
pub(crate) const CRYPT_XOR: u32 = 1;
pub(crate) const CRYPT_CRYPTOAPI: u32 = 18;

/// A value does not fit into the old struct: EOVERFLOW.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Overflow;

/// The parts of `struct loop_info64` that mean something to the driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Info {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) rdevice: u64,
    pub(crate) offset: u64,
    pub(crate) sizelimit: u64,
    pub(crate) number: u32,
    pub(crate) encrypt_type: u32,
    pub(crate) encrypt_key_size: u32,
    pub(crate) flags: u32,
    pub(crate) file_name: [u8; NAME_SIZE],
}

impl Default for Info {
    fn default() -> Self {
        Self {
            device: 0,
            inode: 0,
            rdevice: 0,
            offset: 0,
            sizelimit: 0,
            number: 0,
            encrypt_type: 0,
            encrypt_key_size: 0,
            flags: 0,
            file_name: [0; NAME_SIZE],
        }
    }
}

/// Offsets in `struct loop_info64`.
pub(crate) mod info64 {
    pub(crate) const SIZE: usize = 232;
    pub(crate) const DEVICE: usize = 0;
    pub(crate) const INODE: usize = 8;
    pub(crate) const RDEVICE: usize = 16;
    pub(crate) const OFFSET: usize = 24;
    pub(crate) const SIZELIMIT: usize = 32;
    pub(crate) const NUMBER: usize = 40;
    pub(crate) const ENCRYPT_TYPE: usize = 44;
    pub(crate) const ENCRYPT_KEY_SIZE: usize = 48;
    pub(crate) const FLAGS: usize = 52;
    pub(crate) const FILE_NAME: usize = 56;
}

/// Offsets in `struct loop_info` of a 64-bit program.
pub(crate) mod info_old {
    pub(crate) const SIZE: usize = 168;
    pub(crate) const NUMBER: usize = 0;
    /// A `__kernel_old_dev_t`: 8 bytes on x86-64.
    pub(crate) const DEVICE: usize = 8;
    pub(crate) const INODE: usize = 16;
    pub(crate) const RDEVICE: usize = 24;
    pub(crate) const OFFSET: usize = 32;
    pub(crate) const FLAGS: usize = 44;
    pub(crate) const NAME: usize = 48;
}

/// Offsets in `struct loop_config`.
pub(crate) mod config {
    pub(crate) const SIZE: usize = 304;
    pub(crate) const FD: usize = 0;
    pub(crate) const BLOCK_SIZE: usize = 4;
    pub(crate) const INFO: usize = 8;
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut b = [0; 4];
    b.copy_from_slice(&bytes[at..at + 4]);
    u32::from_ne_bytes(b)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut b = [0; 8];
    b.copy_from_slice(&bytes[at..at + 8]);
    u64::from_ne_bytes(b)
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

fn name_at(bytes: &[u8], at: usize) -> [u8; NAME_SIZE] {
    let mut name = [0; NAME_SIZE];
    name.copy_from_slice(&bytes[at..at + NAME_SIZE]);
    // The driver's copy always ends.
    name[NAME_SIZE - 1] = 0;
    name
}

impl Info {
    /// From a `struct loop_info64`.
    pub(crate) fn from_info64(b: &[u8; info64::SIZE]) -> Self {
        Self {
            device: u64_at(b, info64::DEVICE),
            inode: u64_at(b, info64::INODE),
            rdevice: u64_at(b, info64::RDEVICE),
            offset: u64_at(b, info64::OFFSET),
            sizelimit: u64_at(b, info64::SIZELIMIT),
            number: u32_at(b, info64::NUMBER),
            encrypt_type: u32_at(b, info64::ENCRYPT_TYPE),
            encrypt_key_size: u32_at(b, info64::ENCRYPT_KEY_SIZE),
            flags: u32_at(b, info64::FLAGS),
            file_name: name_at(b, info64::FILE_NAME),
        }
    }

    /// To a `struct loop_info64`; what is not known is zero.
    pub(crate) fn to_info64(&self) -> [u8; info64::SIZE] {
        let mut b = [0; info64::SIZE];
        put(&mut b, info64::DEVICE, &self.device.to_ne_bytes());
        put(&mut b, info64::INODE, &self.inode.to_ne_bytes());
        put(&mut b, info64::RDEVICE, &self.rdevice.to_ne_bytes());
        put(&mut b, info64::OFFSET, &self.offset.to_ne_bytes());
        put(&mut b, info64::SIZELIMIT, &self.sizelimit.to_ne_bytes());
        put(&mut b, info64::NUMBER, &self.number.to_ne_bytes());
        put(&mut b, info64::FLAGS, &self.flags.to_ne_bytes());
        put(&mut b, info64::FILE_NAME, &self.file_name);
        b
    }

    /// From a `struct loop_info`. It has no size limit, and its encryption fields are ignored as
    /// the C driver does. A negative offset becomes one that no file has.
    pub(crate) fn from_old(b: &[u8; info_old::SIZE]) -> Self {
        Self {
            device: u64_at(b, info_old::DEVICE),
            inode: u64_at(b, info_old::INODE),
            rdevice: u64_at(b, info_old::RDEVICE),
            offset: i64::from(u32_at(b, info_old::OFFSET) as i32) as u64,
            number: u32_at(b, info_old::NUMBER),
            flags: u32_at(b, info_old::FLAGS),
            file_name: name_at(b, info_old::NAME),
            ..Self::default()
        }
    }

    /// To a `struct loop_info`. Fails when the offset doesn't fit.
    pub(crate) fn to_old(&self) -> Result<[u8; info_old::SIZE], Overflow> {
        let offset = i32::try_from(self.offset).map_err(|_| Overflow)?;
        let mut b = [0; info_old::SIZE];
        put(&mut b, info_old::NUMBER, &self.number.to_ne_bytes());
        put(&mut b, info_old::DEVICE, &self.device.to_ne_bytes());
        put(&mut b, info_old::INODE, &self.inode.to_ne_bytes());
        put(&mut b, info_old::RDEVICE, &self.rdevice.to_ne_bytes());
        put(&mut b, info_old::OFFSET, &offset.to_ne_bytes());
        put(&mut b, info_old::FLAGS, &self.flags.to_ne_bytes());
        put(&mut b, info_old::NAME, &self.file_name);
        Ok(b)
    }
}

/// `struct loop_config`.
#[derive(Default)]
pub(crate) struct Config {
    pub(crate) fd: u32,
    pub(crate) block_size: u32,
    pub(crate) info: Info,
}

impl Config {
    /// From a `struct loop_config`.
    pub(crate) fn from_bytes(b: &[u8; config::SIZE]) -> Self {
        let mut info = [0; info64::SIZE];
        info.copy_from_slice(&b[config::INFO..config::INFO + info64::SIZE]);
        Self {
            fd: u32_at(b, config::FD),
            block_size: u32_at(b, config::BLOCK_SIZE),
            info: Info::from_info64(&info),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> Info {
        let mut file_name = [0; NAME_SIZE];
        file_name[..5].copy_from_slice(b"a.img");
        Info {
            device: 1,
            inode: 2,
            rdevice: 3,
            offset: 4096,
            sizelimit: 1 << 40,
            number: 7,
            flags: flag::AUTOCLEAR,
            file_name,
            ..Info::default()
        }
    }

    #[test]
    fn info64_survives_a_round_trip() {
        assert_eq!(Info::from_info64(&info().to_info64()), info());
    }

    #[test]
    fn old_info_loses_only_the_size_limit() {
        let want = Info {
            sizelimit: 0,
            ..info()
        };
        assert_eq!(Info::from_old(&info().to_old().unwrap()), want);
    }

    #[test]
    fn offset_beyond_int_overflows_the_old_info() {
        let mut i = info();
        i.offset = 1 << 31;
        assert_eq!(i.to_old(), Err(Overflow));
        i.offset = (1 << 31) - 1;
        assert!(i.to_old().is_ok());
    }

    #[test]
    fn negative_old_offset_is_out_of_range() {
        let mut b = [0; info_old::SIZE];
        put(&mut b, info_old::OFFSET, &(-1i32).to_ne_bytes());
        assert!(Info::from_old(&b).offset > i64::MAX as u64);
    }

    #[test]
    fn name_always_ends() {
        let mut b = [b'x'; info64::SIZE];
        assert_eq!(Info::from_info64(&b).file_name[NAME_SIZE - 1], 0);
        b[info64::FILE_NAME] = 0;
        assert_eq!(Info::from_info64(&b).file_name[0], 0);
    }

    #[test]
    fn config_holds_fd_block_size_and_info() {
        let mut b = [0; config::SIZE];
        put(&mut b, config::FD, &3u32.to_ne_bytes());
        put(&mut b, config::BLOCK_SIZE, &4096u32.to_ne_bytes());
        put(&mut b, config::INFO, &info().to_info64());
        let c = Config::from_bytes(&b);
        assert_eq!((c.fd, c.block_size, c.info), (3, 4096, info()));
    }
}
