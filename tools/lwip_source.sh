#!/bin/sh
# Fetch the source of lwIP, as the system's own distribution has it, into the user's cache, unless it is there already.
# The system's package lists stay as they are, and nothing here needs root. LIGHTTLS_NO_APT=1 stops it.
set -eu

cache=${XDG_CACHE_HOME:-$HOME/.cache}/lighttls/lwip

fail() {
    echo "Without lwIP's source, its transport is not tested: $1" >&2
    exit 1
}

[ -z "${LIGHTTLS_LWIP_SOURCE:-}" ] || exit 0
! ls "$cache"/lwip-*/src/core/tcp_in.c >/dev/null 2>&1 || exit 0
[ "${LIGHTTLS_NO_APT:-}" != 1 ] || fail "LIGHTTLS_NO_APT=1. The command for it: make deps"
command -v apt-get >/dev/null 2>&1 || fail "there is no apt-get here; set LIGHTTLS_LWIP_SOURCE to its folder"
command -v dpkg-source >/dev/null 2>&1 || fail "that takes dpkg-dev. The command for it: make deps"

mkdir -p "$cache"
scratch=$(mktemp -d "$cache/fetching.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/lists/partial" "$scratch/cache/archives/partial" "$scratch/parts"

# The distribution's own entries, asked for sources instead of packages: with their mirror, suites and keys.
# shellcheck disable=SC2016  # the names in the format are apt's
apt-get indextargets --format '$(ORIGIN)|$(SOURCESENTRY)' 'Created-By: Packages' |
    sed -n 's/^\(Debian\|Ubuntu\|Raspbian\)|\(.*\):[0-9]*$/\2/p' | sort -u >"$scratch/entries"
while read -r entry; do
    case $entry in
    *.sources) sed 's/^Types:.*/Types: deb-src/' "$entry" >"$scratch/parts/${entry##*/}" ;;
    *) sed -n 's/^deb /deb-src /p' "$entry" >"$scratch/parts/${entry##*/}" ;;
    esac
done <"$scratch/entries"
[ -s "$scratch/entries" ] || fail "apt-get has no package lists of a distribution. The command for them: apt-get update"

apt() {
    apt-get -qq -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$scratch/parts" \
        -o Dir::State::Lists="$scratch/lists" -o Dir::Cache="$scratch/cache" -o APT::Sandbox::User="$(id -un)" "$@"
}

echo "Fetching the source of lwIP"
apt update || fail "apt-get could not fetch the list of sources"
(cd "$scratch" && apt source lwip >/dev/null) || fail "apt-get could not fetch it"
mv "$scratch"/lwip-* "$cache/" 2>/dev/null || ls "$cache"/lwip-*/src/core/tcp_in.c >/dev/null
