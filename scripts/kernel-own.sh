# shellcheck shell=bash disable=SC2154  # kind, version, source, ... come from kernel
# SPDX-License-Identifier: GPL-2.0
# The kernels that we build: user-mode Linux (uml) and the one with KASAN, lockdep and
# kmemleak (debug), from the stock kernel's source and a small configuration.

fragments=("$SCRIPTS/kernel.config.d/base.config" "$SCRIPTS/kernel.config.d/$kind.config")
case $kind in
uml) own_make='ARCH=um CC=gcc-14 HOSTCC=gcc-14' own_image=linux ;;
debug) own_make='LLVM=1' own_image=arch/x86/boot/bzImage ;; # gcc has no KASAN with Rust
esac

kernel_dir() {
	echo "$CACHE/kernel/$kind-$version-$(key_of "$tools" "$(cat "${fragments[@]}" "$SCRIPTS/kernel-own.sh" | sha256sum)")"
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
	done < <(grep -h '^CONFIG_' "${fragments[@]}")
	[ ${#missing[@]} -eq 0 ] || die "the $kind kernel's configuration did not take:" "${missing[@]}"
}

fill_kernel() {
	local dir=$1 release
	mkdir -p "$dir/build"
	cat "${fragments[@]}" >"$dir/build/fragment"
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
