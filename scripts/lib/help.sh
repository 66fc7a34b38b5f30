# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
# Sourced at the beginning of every shell script: --help or -h prints the comment at the top of the
# script and ends it.
case ${1:-} in
-h | --help)
	awk '/^#!/ || /SPDX-License-Identifier/ { next } !/^#/ { exit } { sub(/^# ?/, ""); print }' <"$0"
	exit
	;;
esac
