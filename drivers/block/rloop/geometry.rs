// SPDX-License-Identifier: GPL-2.0

//! Sizes, offsets and alignments: arithmetic on numbers that users choose.
//!
//! Uses `core` only, so that it is also tested on the host.

/// The number of bytes in a sector.
pub(crate) const SECTOR: u32 = 512;

/// Returns the size of a disk in whole sectors, for a backing file of `file` bytes of which the
/// first `offset` are skipped and at most `limit` (0: all) are used.
pub(crate) fn capacity(file: i64, offset: i64, limit: i64) -> u64 {
    let mut bytes = if offset > 0 {
        file.saturating_sub(offset)
    } else {
        file
    };
    if limit > 0 {
        bytes = bytes.min(limit);
    }
    bytes.max(0) as u64 / u64::from(SECTOR)
}

/// Returns whether a disk can use direct I/O that begins at byte `offset` of a file with direct I/O
/// in units of `unit` bytes. If `offset` is not a multiple of the unit, no request is aligned.
pub(crate) fn direct_fits(offset: i64, unit: u32) -> bool {
    unit != 0 && offset as u64 % u64::from(unit) == 0
}

/// Returns the smallest and the largest atomic write of a disk that begins at byte `offset` of a
/// device with these limits, in bytes; 0 for none. An atomic write must be aligned to its length on
/// that device, too.
pub(crate) fn atomic_units(offset: i64, (min, max): (u32, u32)) -> (u32, u32) {
    let max = match offset {
        0 => max,
        _ => max.min(1 << offset.trailing_zeros().min(31)),
    };
    if min == 0 || max < min {
        (0, 0)
    } else {
        (min, max)
    }
}

/// Returns whether `len` bytes at `pos` are aligned for direct I/O in units of `unit` bytes.
pub(crate) fn aligned(pos: i64, len: u32, unit: u32) -> bool {
    unit != 0 && pos as u64 % u64::from(unit) == 0 && len % unit == 0
}

/// Returns the position of `len` bytes at byte `at` of a disk in a file whose first `offset` bytes
/// are skipped. `None` if it exceeds the largest file size: the offset may have grown since the
/// size of the disk was checked.
pub(crate) fn position(at: u64, len: u32, offset: i64) -> Option<i64> {
    let pos = i64::try_from(at).ok()?.checked_add(offset)?;
    pos.checked_add(len.into()).map(|_| pos)
}

/// Returns the longest I/O in bytes that is one request on a device with these limits, for any
/// layout of its memory.
pub(crate) fn max_nowait_bytes(sectors: u32, segments: u16, page: u32) -> u32 {
    let pages = u32::from(segments).saturating_sub(1); // It may begin in the middle of one.
    sectors
        .saturating_mul(SECTOR)
        .min(pages.saturating_mul(page))
}

/// Returns the logical block size of a disk for the size that the user asks for (0: the default).
pub(crate) fn block_size(asked: u32, direct: bool, unit: u32) -> u32 {
    match (asked, direct) {
        (0, true) => unit,
        (0, false) => SECTOR,
        (asked, _) => asked,
    }
}

/// Returns `log2` of the number of minors of a disk with up to `max_part` partitions. The disk
/// itself takes one minor.
pub(crate) fn part_shift(max_part: u32) -> u32 {
    u32::BITS - max_part.leading_zeros()
}

/// Returns the memory alignment that a disk requires of requests, in bytes.
pub(crate) fn memory_alignment(direct: bool, needed: u32, page: u32) -> u32 {
    if direct {
        needed.clamp(SECTOR, page)
    } else {
        SECTOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_counts_whole_sectors() {
        assert_eq!(capacity(1024, 0, 0), 2);
        assert_eq!(capacity(1023, 0, 0), 1);
        assert_eq!(capacity(511, 0, 0), 0);
    }

    #[test]
    fn capacity_is_what_lies_behind_the_offset() {
        assert_eq!(capacity(4096, 512, 0), 7);
        assert_eq!(capacity(4096, 4096, 0), 0);
        assert_eq!(capacity(4096, 8192, 0), 0);
        assert_eq!(capacity(0, i64::MAX, i64::MAX), 0);
    }

    #[test]
    fn each_partition_and_the_disk_have_a_minor() {
        assert_eq!(part_shift(0), 0);
        assert_eq!(part_shift(1), 1);
        assert_eq!(part_shift(3), 2);
        assert_eq!(part_shift(4), 3);
        assert_eq!(part_shift(255), 8);
    }

    #[test]
    fn limit_only_makes_it_smaller() {
        assert_eq!(capacity(4096, 0, 1024), 2);
        assert_eq!(capacity(4096, 0, 1 << 40), 8);
        assert_eq!(capacity(4096, 3584, 1024), 1);
    }

    #[test]
    fn direct_needs_the_offset_to_fit() {
        assert!(direct_fits(0, 512));
        assert!(direct_fits(1024, 512));
        assert!(direct_fits(8192, 4096));
        assert!(!direct_fits(512, 4096));
        assert!(!direct_fits(0, 0));
    }

    #[test]
    fn aligned_looks_at_both_ends() {
        assert!(aligned(4096, 8192, 4096));
        assert!(!aligned(512, 8192, 4096));
        assert!(!aligned(4096, 512, 4096));
    }

    #[test]
    fn position_stays_in_what_a_file_can_have() {
        assert_eq!(position(4096, 512, 1024), Some(5120));
        assert_eq!(position(0, 0, i64::MAX), Some(i64::MAX));
        assert_eq!(position(0, 1, i64::MAX), None);
        assert_eq!(position(512, 0, i64::MAX - 511), None);
        assert_eq!(position(u64::MAX, 512, 0), None);
        assert_eq!(position(1 << 62, 4096, 1 << 62), None);
    }

    #[test]
    fn max_nowait_bytes_is_bound_by_length_and_pieces() {
        assert_eq!(max_nowait_bytes(255, 128, 4096), 255 * 512);
        assert_eq!(max_nowait_bytes(2560, 128, 4096), 127 * 4096);
        assert_eq!(max_nowait_bytes(u32::MAX, u16::MAX, 65536), 65534 * 65536);
        assert_eq!(max_nowait_bytes(255, 0, 4096), 0);
    }

    #[test]
    fn block_size_defaults_to_what_direct_needs() {
        assert_eq!(block_size(0, false, 4096), 512);
        assert_eq!(block_size(0, true, 4096), 4096);
        assert_eq!(block_size(1024, true, 4096), 1024);
    }

    #[test]
    fn memory_alignment_is_a_sector_at_least() {
        assert_eq!(memory_alignment(true, 4, 4096), 512);
        assert_eq!(memory_alignment(true, 65536, 4096), 4096);
        assert_eq!(memory_alignment(false, 4096, 4096), 512);
    }
}
