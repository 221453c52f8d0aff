#!/bin/sh
# Run .venv's Python on the arguments, with the pure engine chosen by name if the native one was not
# built, so that the library need not warn again.
#   tools/with_engine.sh --warn   only say so, if it was not built
set -eu
cd "$(dirname "$0")/.."

if ! .venv/bin/python -c 'import lighttls.crypto._core' 2>/dev/null; then
    export LIGHTTLS_PROVIDER="${LIGHTTLS_PROVIDER:-pure}"
    [ "$1" != --warn ] || cat >&2 <<END
Warning: the native engine was not built, so lighttls runs on its pure engine: slower, and not constant-time.
Install what it needs with \`make deps\`; to see the compiler's words: .venv/bin/pip install -v -e .
END
fi
[ "$1" != --warn ] || exit 0
exec .venv/bin/python "$@"
