#!/bin/sh
# Find the system packages that are missing, name them, and install them where that is allowed.
#   tools/packages.sh build   what building the C core needs
#   tools/packages.sh all     what the tests and checks use besides
#   tools/packages.sh interop what `make interop` uses besides
# Ends with status 0 if nothing is missing (any more). PYTHON is the Python to build for.
set -eu

python=${PYTHON:-python3}
missing=

# need PACKAGE…: note packages, each once.
need() {
    for package; do
        case " $missing " in *" $package "*) ;; *) missing="$missing $package" ;; esac
    done
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# Servers often stand in sbin, which not every user's PATH has.
has_server() {
    PATH="$PATH:/usr/sbin" command -v "$1" >/dev/null 2>&1
}

# links COMPILER… : whether it turns a program that uses the C library into an executable.
links() {
    scratch=$(mktemp)
    status=0
    printf '#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n' |
        "$@" -x c -o "$scratch" - 2>/dev/null || status=1
    rm -f "$scratch"
    return "$status"
}

# includes HEADER: whether programs can include it.
includes() {
    echo "#include <$1>" | gcc -E -o /dev/null - 2>/dev/null
}

# offered PACKAGE: whether apt-get has it; for all we know it has, if it never fetched its lists.
offered() {
    apt-cache show "$1" >/dev/null 2>&1 || ! ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1
}

# ask EXPRESSION: what the chosen Python says about itself.
ask() {
    "$python" -c "import importlib.util, os, sys, sysconfig; print($1)"
}

look_for_build() {
    [ "$(ask 'importlib.util.find_spec("ensurepip") is not None')" = True ] || need_python_part python3-venv
    [ "$(ask 'os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h"))')" = True ] ||
        need_python_part python3-dev
    compiler=${CC:-$(ask 'sysconfig.get_config_var("CC") or "cc"')}
    # Debian's gcc only recommends the C library's headers, so a missing compiler means both.
    # shellcheck disable=SC2086  # CC may hold options
    links $compiler || need gcc libc6-dev
}

# need_python_part PACKAGE: a part of Python is missing; only the system's own Python has packages for it.
need_python_part() {
    if [ "$(ask 'sys.base_prefix')" = /usr ]; then
        need "$1"
    else
        echo "$python lacks what Debian has in $1, and no package can add it: choose another with PYTHON=…" >&2
    fi
}

# The servers that CI meets, too.
look_for_few_servers() {
    has openssl || need openssl
    has gnutls-serv || need gnutls-bin
    has_server mosquitto || need mosquitto
}

look_for_other_servers() {
    has selfserv || need libnss3-tools
    has javac || need default-jdk-headless
    has node || need nodejs
    has_server nginx || need nginx-light
    has stunnel || need stunnel4
}

look_for_test_tools() {
    has gcc || need gcc libc6-dev
    has valgrind || need valgrind
    has arm-none-eabi-gcc || need gcc-arm-none-eabi
    has shellcheck || need shellcheck
    has softhsm2-util || need softhsm2
    has dpkg-source || need dpkg-dev # for tools/lwip_source.sh
    includes lwip/lwipopts.h || ! offered liblwip-dev || need liblwip-dev
    has clang || need clang
    links clang -fsanitize=address,undefined || need libclang-rt
    links aarch64-linux-gnu-gcc || need gcc-aarch64-linux-gnu libc6-dev-arm64-cross
    links arm-linux-gnueabihf-gcc || need gcc-arm-linux-gnueabihf libc6-dev-armhf-cross
    links riscv64-linux-gnu-gcc || need gcc-riscv64-linux-gnu libc6-dev-riscv64-cross
    links s390x-linux-gnu-gcc || need gcc-s390x-linux-gnu libc6-dev-s390x-cross
    has qemu-s390x || need qemu-user
}

# Libraries for which tests/interop/servers/ has a server program.
look_for_tls_libraries() {
    has g++ || need g++
    includes bearssl.h || need libbearssl-dev
    # Debian 13 has Botan 3 only, whose interface is another.
    includes botan-2/botan/compiler.h || ! offered libbotan-2-dev || need libbotan-2-dev
    includes mbedtls/ssl.h || need libmbedtls-dev
    includes wolfssl/options.h || need libwolfssl-dev
}

look() {
    missing=
    look_for_build
    case $1 in
    all)
        look_for_few_servers
        look_for_test_tools
        ;;
    interop)
        look_for_few_servers
        look_for_other_servers
        look_for_tls_libraries
        ;;
    esac
    missing=${missing# }
}

# The one reason, if there is one, why nothing can be installed here.
obstacle() {
    if [ "${LIGHTTLS_NO_APT:-}" = 1 ]; then
        echo "LIGHTTLS_NO_APT=1"
    elif ! has apt-get; then
        echo "there is no apt-get here; other systems have the same under similar names"
    elif [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null && ! { has sudo && [ -t 0 ]; }; then
        echo "that takes root or sudo"
    fi
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_missing() {
    echo "Installing system packages: $missing"
    case " $missing " in *" mosquitto "* | *" nginx-light "*)
        echo "Debian starts Mosquitto and nginx as services then; to end that: systemctl disable --now mosquitto nginx"
        ;;
    esac
    as_root apt-get -o DPkg::Lock::Timeout=300 -qq update || echo "apt-get update failed; trying with the old lists" >&2
    # The sanitizers' run-time carries the version of the clang that this system calls "clang".
    clang_version=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p')
    packages=
    for package in $missing; do
        [ "$package" != libclang-rt ] || package="libclang-rt-$clang_version-dev"
        packages="$packages $package"
    done
    # shellcheck disable=SC2086  # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -o DPkg::Lock::Timeout=300 -qq install -y --no-install-recommends $packages >/dev/null
}

look "$1"
[ -n "$missing" ] || exit 0
why=$(obstacle)
if [ -z "$why" ]; then
    install_missing || true # what is still missing is said below
    look "$1"
    [ -n "$missing" ] || exit 0
    why="apt-get could not"
fi
echo "Missing system packages: $missing" >&2
remedy="make deps"
[ "$1" != interop ] || remedy="make interop"
echo "Not installed: $why. The command for it: $remedy" >&2
exit 1
