// SPDX-License-Identifier: GPL-2.0

//! Compares `uapi.rs` with `include/uapi/linux/rloop.h` at compile time.
//!
//! The crate `abi_layout` is generated from `rust/abi_layout.c`, which the C compiler compiles with
//! the header.

use crate::uapi::{
    self,
    config,
    flag,
    info64, //
};
use abi_layout as c;

macro_rules! same {
    ($($rust:expr => $c:expr,)*) => {
        $(const _: () = assert!($rust as usize == $c);)*
    };
}

same! {
    info64::SIZE => c::INFO64_SIZE,
    info64::DEVICE => c::INFO64_DEVICE,
    info64::INODE => c::INFO64_INODE,
    info64::RDEVICE => c::INFO64_RDEVICE,
    info64::OFFSET => c::INFO64_OFFSET,
    info64::SIZELIMIT => c::INFO64_SIZELIMIT,
    info64::NUMBER => c::INFO64_NUMBER,
    info64::ENCRYPT_TYPE => c::INFO64_ENCRYPT_TYPE,
    info64::ENCRYPT_KEY_SIZE => c::INFO64_ENCRYPT_KEY_SIZE,
    info64::FLAGS => c::INFO64_FLAGS,
    info64::FILE_NAME => c::INFO64_FILE_NAME,
    config::SIZE => c::CONFIG_SIZE,
    config::FD => c::CONFIG_FD,
    config::BLOCK_SIZE => c::CONFIG_BLOCK_SIZE,
    config::INFO => c::CONFIG_INFO,
    uapi::NAME_SIZE => c::NAME_SIZE,
    uapi::KEY_SIZE => c::KEY_SIZE,
    uapi::CRYPT_NONE => c::CRYPT_NONE,
    uapi::CRYPT_XOR => c::CRYPT_XOR,
    uapi::CRYPT_CRYPTOAPI => c::CRYPT_CRYPTOAPI,
    flag::READ_ONLY => c::FLAG_READ_ONLY,
    flag::AUTOCLEAR => c::FLAG_AUTOCLEAR,
    flag::PARTSCAN => c::FLAG_PARTSCAN,
    flag::DIRECT_IO => c::FLAG_DIRECT_IO,
    flag::CONFIGURABLE => c::FLAG_CONFIGURABLE,
}
