# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# A Debian tree from nothing: trixie, updates, security and backports, main only.

SUITE=trixie
# Whatever changes here must change the key of what was made with it.
BOOTSTRAP_KEY=$(sha256sum <"$SCRIPTS/bootstrap.sh")

need_mmdebstrap() {
	local missing=()
	command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
	[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing+=(debian-archive-keyring)
	[ "$(id -u)" -eq 0 ] || command -v newuidmap >/dev/null || missing+=(uidmap)
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
		die "this machine lacks: ${missing[*]}" "as root: apt-get install ${missing[*]}"
	fi
	step "installing ${missing[*]} on this machine" env DEBIAN_FRONTEND=noninteractive \
		sh -c 'apt-get update && apt-get install -y --no-install-recommends "$@"' sh "${missing[@]}"
}

# The mirror that the host itself uses, if it is a Debian; else mmdebstrap's default.
mirror_of() {
	command -v apt-get >/dev/null || return 0
	# shellcheck disable=SC2016  # apt's own variables
	apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 2>/dev/null |
		awk -F'|' -v label="$1" '$1 == "Debian" && $2 == label && $3 ~ /^https?:/ { print $3; exit }'
}

# For mmdebstrap: apt as it is wanted, and packages without what nothing of ours reads.
LEAN=(--aptopt='APT::Sandbox::User "root"' --aptopt='Acquire::Retries "3"'
	--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*'
	--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt=force-unsafe-io)

# For mmdebstrap, too: mirror and sources, the lines of apt; none if the host's mirror is not known.
find_sources() {
	local security
	sources=()
	mirror=$(mirror_of Debian)
	security=$(mirror_of Debian-Security)
	[ -n "$mirror" ] && [ -n "$security" ] || return 0
	sources=("deb $mirror $SUITE main" "deb $mirror $SUITE-updates main"
		"deb $security $SUITE-security main")
}

# bootstrap WHAT DIR PACKAGE...   (BACKPORTS names packages to take from backports)
bootstrap() {
	local what=$1 dir=$2 mirror sources args
	shift 2
	need_mmdebstrap
	find_sources
	args=(--variant=apt --include="$(IFS=,; echo "$*")" "${LEAN[@]}")
	# Backports and sources are added to whatever was chosen.
	args+=(--setup-hook="f=\$(ls \"\$1\"/etc/apt/sources.list \"\$1\"/etc/apt/sources.list.d/*.list 2>/dev/null | head -n 1);
			sed -n 's/ $SUITE main/ $SUITE-backports main/p' \"\$f\" >\"\$1/bp\"; cat \"\$1/bp\" >>\"\$f\"; rm \"\$1/bp\";
			sed 's/^deb /deb-src /' \"\$f\" >\"\$1/etc/apt/sources.list.d/src.list\""
		--skip=cleanup/apt/lists)
	[ -z "${BACKPORTS:-}" ] || args+=(--customize-hook="chroot \"\$1\" env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y --no-install-recommends -t $SUITE-backports $BACKPORTS && chroot \"\$1\" apt-get clean")
	if [ "$(id -u)" -eq 0 ]; then
		step "making the $what ($# packages and what they need, from ${mirror:-the default mirror})" \
			"$SCRIPTS/in-ns" mmdebstrap --mode=root "${args[@]}" $SUITE "$dir" "${sources[@]}"
	else
		# Its ids differ from ours in a namespace: hand over as a tar.
		step "making the $what ($# packages and what they need, from ${mirror:-the default mirror})" \
			mmdebstrap --mode=unshare "${args[@]}" $SUITE "$dir.tar" "${sources[@]}"
		step "unpacking the $what" "$SCRIPTS/in-ns" \
			tar -C "$dir" --exclude='./dev/*' -xpf "$dir.tar"
		rm -f "$dir.tar"
	fi
}
