#!/bin/sh
# Every proof of the C core in its long form, a line each: hours in all. Ends with status 0 if all hold.
#   tools/assurance.sh [PART…]   these alone
#   LIGHTTLS_FUZZ_SECONDS=…      for each fuzz target, 1800 if not set
# What each part printed is left in build/assurance/.
set -eu
cd "$(dirname "$0")/.."

export LIGHTTLS_LONG=1 LIGHTTLS_REQUIRE_ALL=1
export LIGHTTLS_FUZZ_SECONDS="${LIGHTTLS_FUZZ_SECONDS:-1800}"
logs=build/assurance
failed=

# folders PART: its tests.
folders() {
    case $1 in
        vectors) echo tests/vectors ;;           # published vectors, on every implementation
        differential) echo tests/differential ;; # engines against each other and `cryptography`
        c) echo tests/c ;;                       # sanitizers, valgrind, what the stack keeps
        bounds) echo tests/bounds ;;             # limbs stay in the bounds that are stated
        timing) echo tests/timing ;;             # time does not depend on secrets, statistically
        cross) echo tests/cross ;;               # other processors
        size) echo tests/size ;;                 # flash and stack of a Cortex-M4
        fuzz) echo tests/fuzz ;;
        *) echo "no part $1: vectors differential c bounds timing cross size fuzz" >&2 && return 1 ;;
    esac
}

[ $# -gt 0 ] || set -- vectors differential c bounds timing cross size fuzz
mkdir -p "$logs"
for part; do
    tests=$(folders "$part")
    start=$(date +%s)
    result=passed
    tools/with_engine.sh -m pytest --timeout=3600 "$tests" >"$logs/$part.log" 2>&1 || result=FAILED
    [ $result = passed ] || failed="$failed $part"
    printf '%-14s%6d s  %s: %s\n' "$part" $(($(date +%s) - start)) $result "$(grep . "$logs/$part.log" | tail -n 1 | tr -d =)"
done
[ -z "$failed" ] || echo "Failed:$failed. See $logs/" >&2
[ -z "$failed" ]
