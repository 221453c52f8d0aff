#!/bin/sh
# Make .venv with lighttls in it, C core built, unless it is there already.
#   tools/setup.sh run|demo|test|interop|bench|dev
# "run" is lighttls alone, the others are extras of pyproject.toml. Without a compiler lighttls is
# set up with its pure engine, and says so.
set -eu
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
extra=$1
stamp=.venv/lighttls-setup # the interpreter, a digest of what was built, and the extras, a line each

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "lighttls needs Python 3.11 or newer, and \`$python\` is not: choose one with make PYTHON=/path/to/python3" >&2
    exit 1
fi

# stamped N: line N of the stamp; empty if there is none.
stamped() {
    [ ! -f "$stamp" ] || sed -n "$1p" "$stamp"
}

# What is still missing after this has been named; lighttls is set up without it.
export PYTHON="$python"
case $extra in
run | demo) level=build ;;
interop) level=interop ;;
*) level=all ;;
esac
tools/packages.sh "$level" || true
[ "$level" = build ] || tools/lwip_source.sh || true
compiler=complete
LIGHTTLS_NO_APT=1 tools/packages.sh build 2>/dev/null || compiler=incomplete

interpreter=$("$python" -c 'import sys; print(sys.base_prefix, *sys.version.split())')
# A compiler that came later is a reason to build again, so that is part of the digest.
sources=$(
    {
        echo "$compiler ${CC:-} ${CFLAGS:-} ${LIGHTTLS_LWIP_SOURCE:-}"
        find pyproject.toml setup.py csrc -type f -exec sha256sum {} + | sort
    } | sha256sum
)

have=
if [ "$(stamped 1)" = "$interpreter" ] && .venv/bin/python -c '' 2>/dev/null; then
    have=$(stamped 3)
    if [ "$(stamped 2)" = "$sources" ]; then
        # dev has what test has, and that what demo has; each has what run has
        case "$extra: $have " in
        run:* | *:*" $extra "* | test:*" dev "* | demo:*" dev "* | demo:*" test "*) exec tools/with_engine.sh --warn ;;
        esac
    fi
fi

if [ -z "$have" ]; then
    echo "Setting up .venv with $("$python" --version)"
    if "$python" -c 'import ensurepip' 2>/dev/null; then
        "$python" -m venv --clear .venv
    elif "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --clear --without-pip .venv
        "$python" -m pip -q --python .venv/bin/python install pip
    else
        echo "Without python3-venv there is nothing to install lighttls into. The command for it: make deps" >&2
        exit 1
    fi
fi

have="$have $extra"
extras=
for word in $have; do
    [ "$word" = run ] || extras="${extras:+$extras,}$word"
done
echo "Installing lighttls and what it needs, building its C core"
PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip -q install -e ".${extras:+[$extras]}"
printf '%s\n%s\n%s\n' "$interpreter" "$sources" "$have" >"$stamp"
exec tools/with_engine.sh --warn
