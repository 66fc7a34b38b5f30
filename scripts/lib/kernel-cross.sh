# shellcheck shell=bash disable=SC2154  # release, version, image, ... come from kernel
# SPDX-License-Identifier: GPL-2.0
# Debian's own kernel for arm64, unchanged, and beside it the Rust metadata that its headers package
# lacks: as kernel-stock.sh, but made by cross compilers, as KMAKE says.

kernel_dir() {
	echo "$CACHE/kernel/stock-$version-$(key_of "$tools" "$(sha256sum <"$SCRIPTS/kernel-cross.sh")")"
}

fill_kernel() {
	local dir=$1 make_args="ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- CC=aarch64-linux-gnu-gcc-14 HOSTCC=gcc-14 KERNELRELEASE=$release"
	step "fetching Debian's kernel $release ($version)" fetch "$dir" \
		"$image:arm64" "linux-base-$release:arm64" "linux-modules-$release:arm64" "linux-headers-$release:arm64"
	ln -s usr/lib "$dir/lib"
	mv "$dir/usr/lib/modules/$release/vmlinuz" "$dir/image"
	rm -f "$dir/usr/lib/modules/$release/"{build,source}
	in_root --root "$root" --bind "$dir:/kernel" depmod -b /kernel "$release"

	mkdir "$dir/build"
	# The compilers must be those that the kernel was built with.
	# shellcheck disable=SC2016
	step "making the Rust metadata of $release" in_root --root "$root" \
		--bind "$source:/ksrc" --bind "$dir/usr/src/linux-headers-$release:/headers" --bind "$dir/build:/kbuild" sh -ec '
		has() { grep -E "^CONFIG_(RUST|CC_VERSION_TEXT|BINDGEN_VERSION_TEXT)" "$1/.config"; }
		cp /headers/.config /kbuild/
		make -s -j"$(nproc)" -C /ksrc O=/kbuild "$@" olddefconfig modules_prepare
		has /headers >/tmp/headers
		has /kbuild >/tmp/kbuild
		diff /tmp/headers /tmp/kbuild
		cp /headers/Module.symvers /kbuild/' sh $make_args
	rm -rf "$dir/usr/src"
	cat >"$dir/info" <<-END
		KRELEASE='$release'
		KVERSION='$version'
		KSOURCE='$source'
		KMAKE='$make_args'
		KLABEL='Debian $release ($version)'
	END
}
