// SPDX-License-Identifier: GPL-2.0

//! The ABI of `include/uapi/linux/rloop.h`: constants, and conversion of structs to and from bytes.
//!
//! [`Info`] is `struct loop_info64`, converted also from and to `struct loop_info` by an
//! [`OldLayout`], and [`Config`] is `struct loop_config`.
//!
//! Uses `core` only, so that it is also tested on the host. `uapi/check.rs` checks it against the
//! header when the module is built. What differs by architecture is in the generated crate
//! `abi_layout`: the layouts of `struct loop_info`, which `uapi/old.rs` has, and the ioctl numbers.

#[cfg(not(test))]
mod check;
#[cfg(not(test))]
pub(crate) mod old;

/// `LO_FLAGS_*`.
pub(crate) mod flag {
    pub(crate) const READ_ONLY: u32 = 1;
    pub(crate) const AUTOCLEAR: u32 = 4;
    pub(crate) const PARTSCAN: u32 = 8;
    pub(crate) const DIRECT_IO: u32 = 16;
    /// The flags that LOOP_CONFIGURE may set.
    pub(crate) const CONFIGURABLE: u32 = READ_ONLY | AUTOCLEAR | PARTSCAN | DIRECT_IO;
}

/// `LO_NAME_SIZE`.
pub(crate) const NAME_SIZE: usize = 64;
/// `LO_KEY_SIZE`.
pub(crate) const KEY_SIZE: usize = 32;

pub(crate) const CRYPT_NONE: u32 = 0;
pub(crate) const CRYPT_XOR: u32 = 1;
pub(crate) const CRYPT_CRYPTOAPI: u32 = 18;

/// A value that does not fit into `struct loop_info`: EOVERFLOW.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Overflow;

/// The fields of `struct loop_info64` that the driver uses.
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

/// The layout of `struct loop_info`, which depends on the architecture and the program's word size:
/// the size and the offsets in bytes, and the sizes of its `dev_t` and `long`.
pub(crate) struct OldLayout {
    pub(crate) size: usize,
    pub(crate) number: usize,
    pub(crate) device: usize,
    pub(crate) dev_bytes: usize,
    pub(crate) inode: usize,
    pub(crate) long_bytes: usize,
    pub(crate) rdevice: usize,
    pub(crate) offset: usize,
    pub(crate) flags: usize,
    pub(crate) name: usize,
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

/// Reads an unsigned integer of up to 8 bytes. Little-endian, as all supported architectures are.
fn uint_at(bytes: &[u8], at: usize, len: usize) -> u64 {
    let mut b = [0; 8];
    b[..len].copy_from_slice(&bytes[at..at + len]);
    u64::from_le_bytes(b)
}

fn put_uint(bytes: &mut [u8], at: usize, len: usize, value: u64) -> Result<(), Overflow> {
    let b = value.to_le_bytes();
    if b[len..].iter().any(|byte| *byte != 0) {
        return Err(Overflow);
    }
    put(bytes, at, &b[..len]);
    Ok(())
}

fn name_at(bytes: &[u8], at: usize) -> [u8; NAME_SIZE] {
    let mut name = [0; NAME_SIZE];
    name.copy_from_slice(&bytes[at..at + NAME_SIZE]);
    // The driver's copy always ends with a null byte.
    name[NAME_SIZE - 1] = 0;
    name
}

impl Info {
    /// Converts from `struct loop_info64`.
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

    /// Converts to `struct loop_info64`. Fields that the driver does not use are zero.
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

    /// Converts from `struct loop_info`. It has no size limit, and the driver ignores its
    /// encryption fields, as the C driver does. A negative offset becomes one beyond the largest
    /// file.
    pub(crate) fn from_old(layout: &OldLayout, b: &[u8]) -> Self {
        Self {
            device: uint_at(b, layout.device, layout.dev_bytes),
            inode: uint_at(b, layout.inode, layout.long_bytes),
            rdevice: uint_at(b, layout.rdevice, layout.dev_bytes),
            offset: i64::from(u32_at(b, layout.offset) as i32) as u64,
            number: u32_at(b, layout.number),
            flags: u32_at(b, layout.flags),
            file_name: name_at(b, layout.name),
            ..Self::default()
        }
    }

    /// Converts to a zeroed `struct loop_info`. Fails if a value does not fit.
    pub(crate) fn to_old(&self, layout: &OldLayout, b: &mut [u8]) -> Result<(), Overflow> {
        let offset = i32::try_from(self.offset).map_err(|_| Overflow)?;
        put(b, layout.number, &self.number.to_ne_bytes());
        put_uint(b, layout.device, layout.dev_bytes, self.device)?;
        put_uint(b, layout.inode, layout.long_bytes, self.inode)?;
        put_uint(b, layout.rdevice, layout.dev_bytes, self.rdevice)?;
        put(b, layout.offset, &offset.to_ne_bytes());
        put(b, layout.flags, &self.flags.to_ne_bytes());
        put(b, layout.name, &self.file_name);
        Ok(())
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
    /// Converts from `struct loop_config`.
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

    const X86_64: OldLayout = OldLayout {
        size: 168,
        number: 0,
        device: 8,
        dev_bytes: 8,
        inode: 16,
        long_bytes: 8,
        rdevice: 24,
        offset: 32,
        flags: 44,
        name: 48,
    };
    const ARM64: OldLayout = OldLayout {
        size: 160,
        number: 0,
        device: 4,
        dev_bytes: 4,
        inode: 8,
        long_bytes: 8,
        rdevice: 16,
        offset: 20,
        flags: 32,
        name: 36,
    };
    /// A 32-bit program on x86-64.
    const X86: OldLayout = OldLayout {
        size: 140,
        number: 0,
        device: 4,
        dev_bytes: 2,
        inode: 8,
        long_bytes: 4,
        rdevice: 12,
        offset: 16,
        flags: 28,
        name: 32,
    };
    /// A 32-bit program on arm64.
    const ARM: OldLayout = OldLayout {
        dev_bytes: 4,
        ..X86
    };
    const LARGEST: usize = X86_64.size;

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
        for layout in [X86_64, ARM64, X86, ARM] {
            let mut b = [0; LARGEST];
            assert_eq!(info().to_old(&layout, &mut b), Ok(()));
            assert_eq!(Info::from_old(&layout, &b), want);
        }
    }

    #[test]
    fn offset_beyond_int_overflows_the_old_info() {
        for layout in [X86_64, ARM64, X86, ARM] {
            let mut i = info();
            let mut b = [0; LARGEST];
            i.offset = 1 << 31;
            assert_eq!(i.to_old(&layout, &mut b), Err(Overflow));
            i.offset = (1 << 31) - 1;
            assert_eq!(i.to_old(&layout, &mut b), Ok(()));
        }
    }

    fn fits(layout: &OldLayout, device: u64, inode: u64, rdevice: u64) -> bool {
        let i = Info {
            device,
            inode,
            rdevice,
            ..info()
        };
        i.to_old(layout, &mut [0; LARGEST]).is_ok()
    }

    #[test]
    fn what_a_program_cannot_hold_overflows() {
        for (layout, dev, inode) in [
            (X86_64, u64::MAX, u64::MAX),
            (ARM64, 0xffff_ffff, u64::MAX),
            (X86, 0xffff, 0xffff_ffff),
            (ARM, 0xffff_ffff, 0xffff_ffff),
        ] {
            assert!(fits(&layout, dev, inode, dev));
            if let Some(wider) = dev.checked_add(1) {
                assert!(!fits(&layout, wider, 0, 0));
                assert!(!fits(&layout, 0, 0, wider));
            }
            if let Some(wider) = inode.checked_add(1) {
                assert!(!fits(&layout, 0, wider, 0));
            }
        }
    }

    #[test]
    fn negative_old_offset_is_out_of_range() {
        for layout in [X86_64, ARM64, X86, ARM] {
            let mut b = [0; LARGEST];
            put(&mut b, layout.offset, &(-1i32).to_ne_bytes());
            assert!(Info::from_old(&layout, &b).offset > i64::MAX as u64);
        }
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
