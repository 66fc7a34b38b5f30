# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by tests that need a server in the same machine.

# The server waits for clients to reclaim what they had, as short as it can.
nfs_start() { rpc.nfsd -N 3 -G 10 -L 10 2; }
nfs_stop() { rpc.nfsd 0; }

# serve_nfs [OPTIONS]: MNT is a mount of directory EXPORT, which is in an ext4.
serve_nfs() {
	EXPORT=$T/export
	kernel_has nfsd
	kernel_has nfs4
	need rpc.nfsd exportfs
	filesystem ext4
	mkdir "$EXPORT"
	mount --bind "$MNT" "$EXPORT"
	defer umount "$EXPORT"
	busybox ip link set lo up
	if ! mountpoint -q /proc/fs/nfsd; then
		mount -t nfsd nfsd /proc/fs/nfsd
	fi
	defer umount /proc/fs/nfsd
	mkdir -p /var/lib/nfs/v4recovery /run/rpc_pipefs
	rpc.mountd -N 3 --no-udp
	defer killall -q rpc.mountd
	exportfs -o rw,no_root_squash,insecure,no_subtree_check,fsid=0 "127.0.0.1:$EXPORT"
	defer exportfs -ua
	nfs_start
	defer nfs_stop
	MNT=$(mktemp -d "$T/mnt.XXXX")
	mount -t nfs4 -o "vers=4.2${1:+,$1}" 127.0.0.1:/ "$MNT"
	defer unmount_below "$MNT"
}
