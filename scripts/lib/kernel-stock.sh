# shellcheck shell=bash disable=SC2154  # release, version, image, ... come from kernel
# SPDX-License-Identifier: GPL-2.0
# Debian's own kernel, unchanged, and beside it the Rust metadata that its headers
# package lacks, made again from the same source, configuration and compilers.

kernel_dir() { echo "$CACHE/kernel/stock-$version-$(key_of "$tools" "$(sha256sum <"$SCRIPTS/kernel-stock.sh")")"; }

fill_kernel() {
	local dir=$1 make_args="CC=gcc-14 HOSTCC=gcc-14 KERNELRELEASE=$release" config rust
	step "fetching Debian's kernel $release ($version)" fetch "$dir" \
		"$image" "linux-base-$release" "linux-modules-$release" "linux-headers-$release"
	ln -s usr/lib "$dir/lib"
	mv "$dir/usr/lib/modules/$release/vmlinuz" "$dir/image"
	rm -f "$dir/usr/lib/modules/$release/"{build,source}
	in_root --root "$root" --bind "$dir:/kernel" depmod -b /kernel "$release"

	config=$dir/usr/src/linux-headers-$release/.config
	rust=$(sed -n 's/^CONFIG_RUSTC_VERSION_TEXT="\(.*\)"/\1/p' "$config")
	grep -q '^CONFIG_RUST=y' "$config" || die "Debian's $release was built without CONFIG_RUST"
	[ "$(in_root --root "$root" rustc --version)" = "$rust" ] ||
		die "Debian's $release was built with another compiler than the build root's" "$rust"
	mkdir "$dir/build"
	cp "$config" "$dir/build/.config"
	# shellcheck disable=SC2086
	step "making the Rust metadata of $release" in_root --root "$root" \
		--bind "$source:/ksrc" --bind "$dir/build:/kbuild" \
		make -s -j"$(jobs_n)" -C /ksrc O=/kbuild $make_args olddefconfig modules_prepare
	cp "$dir/usr/src/linux-headers-$release/Module.symvers" "$dir/build/"
	rm -rf "$dir/usr/src"
	cat >"$dir/info" <<-END
		KRELEASE='$release'
		KVERSION='$version'
		KSOURCE='$source'
		KMAKE='$make_args'
		KLABEL='Debian $release ($version)'
	END
}
