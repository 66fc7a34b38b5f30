# shellcheck shell=bash disable=SC2154  # release, version, image, ... come from kernel
# SPDX-License-Identifier: GPL-2.0
# Debian's own kernel, unchanged, and beside it the Rust metadata that its headers
# package lacks, made again from the same source, configuration and compilers.

kernel_dir() {
	echo "$CACHE/kernel/stock-$version-$(key_of "$tools" "$(cat "$SCRIPTS/kernel-stock.sh" "$SCRIPTS/rust-metadata" | sha256sum)")"
}

fill_kernel() {
	local dir=$1 make_args="CC=gcc-14 HOSTCC=gcc-14 KERNELRELEASE=$release"
	! foreign || make_args="ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- ${make_args/#CC=/CC=aarch64-linux-gnu-}"
	step "fetching Debian's kernel $release ($version)" fetch "$dir" \
		"$image" "linux-base-$release" "linux-modules-$release" "linux-headers-$release"
	ln -s usr/lib "$dir/lib"
	mv "$dir/usr/lib/modules/$release/vmlinuz" "$dir/image"
	rm -f "$dir/usr/lib/modules/$release/"{build,source}
	in_root --root "$root" --bind "$dir:/kernel" depmod -b /kernel "$release"

	mkdir "$dir/build"
	step "making the Rust metadata of $release" in_root --root "$root" --bind "$SCRIPTS:/scripts" \
		--bind "$source:/ksrc" --bind "$dir/usr/src/linux-headers-$release:/headers" --bind "$dir/build:/kbuild" \
		/scripts/rust-metadata make /ksrc /headers /kbuild
	rm -rf "$dir/usr/src"
	cat >"$dir/info" <<-END
		KRELEASE='$release'
		KVERSION='$version'
		KSOURCE='$source'
		KMAKE='$make_args'
		KLABEL='Debian $release ($version)'
	END
}
