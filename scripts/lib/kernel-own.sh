# shellcheck shell=bash disable=SC2154  # kind, version, source, ... come from kernel
# SPDX-License-Identifier: GPL-2.0
# The kernels that we build, from the stock kernel's source and a small configuration:
# user-mode Linux (uml), x86 with KASAN, lockdep and kmemleak (debug) or with KCSAN (kcsan).

own_make='LLVM=1' own_image=arch/x86/boot/bzImage # gcc has no KASAN with Rust
case $kind in
uml) own_make='ARCH=um CC=gcc-14 HOSTCC=gcc-14' own_image=linux parts=(uml) ;;
*) parts=(qemu "$kind") ;;
esac

fragment() {
	echo "CONFIG_LOCALVERSION=\"-rloop-$kind\""
	for p in base "${parts[@]}"; do cat "$SCRIPTS/kernel.config.d/$p.config"; done
}

kernel_dir() {
	echo "$CACHE/kernel/$kind-$version-$(key_of "$tools" "$({ fragment && cat "$SCRIPTS/kernel-own.sh"; } | sha256sum)")"
}

own_build() {
	# shellcheck disable=SC2086
	in_root --root "$root" --bind "$source:/ksrc" --bind "$dir:/kernel" --bind "$dir/build:/kbuild" \
		make -s -j"$(jobs_n)" -C /ksrc O=/kbuild $own_make "$@"
}

# A symbol whose dependencies are not met vanishes without a word: say so.
check_config() {
	local line missing=()
	while read -r line; do
		grep -qxF "$line" "$dir/build/.config" || missing+=("$line")
	done < <(fragment | grep '^CONFIG_')
	[ ${#missing[@]} -eq 0 ] || die "the $kind kernel's configuration did not take:" "${missing[@]}"
}

fill_kernel() {
	local dir=$1 release
	mkdir -p "$dir/build"
	fragment >"$dir/build/fragment"
	step "configuring the $kind kernel ($version)" own_build KCONFIG_ALLCONFIG=/kbuild/fragment allnoconfig
	check_config
	step "building the $kind kernel (a few minutes)" own_build "$(basename "$own_image")" modules
	step "installing its modules" own_build INSTALL_MOD_PATH=/kernel modules_install
	release=$(<"$dir/build/include/config/kernel.release")
	cp "$dir/build/$own_image" "$dir/image"
	rm -f "$dir/lib/modules/$release/build"
	cat >"$dir/info" <<-END
		KRELEASE='$release'
		KVERSION='$version'
		KSOURCE='$source'
		KMAKE='$own_make'
		KLABEL='$kind kernel $release'
	END
}
