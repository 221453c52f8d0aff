#!/bin/sh
# Run all tests; ends with status 0 if they pass.
# pytest runs one test after another. Those of the C core mostly wait for compilers, emulators and valgrind, so they run
# beside the others, in a process of their own whose words come when both are through. Those that measure time come
# last, when nothing runs beside them.
set -eu
cd "$(dirname "$0")/.."

core="tests/c tests/cross tests/fuzz tests/size"
last=tests/timing

others=
for folder in $core $last; do
    others="$others --ignore=$folder"
done
words=$(mktemp)
job=
trap '[ -z "$job" ] || kill "$job"; rm -f "$words"' EXIT
trap 'exit 130' INT TERM

status=0
# shellcheck disable=SC2086  # lists of words
{
    tools/with_engine.sh -m pytest $core >"$words" 2>&1 &
    job=$!
    tools/with_engine.sh -m pytest $others || status=1
}
wait "$job" || status=1
job=
cat "$words"
tools/with_engine.sh -m pytest $last || status=1
exit $status
