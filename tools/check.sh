#!/bin/sh
# Everything a commit must pass without running the tests proper; .pre-commit-config.yaml has the same list.
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH

set -x
ruff check .
ruff format --check .
mypy
find csrc tests/c tests/cross tests/fuzz tests/interop tests/size tests/timing \( -name '*.[ch]' -o -name '*.cpp' \) -exec clang-format --dry-run -Werror {} +
tools/with_engine.sh -m pytest -q tests/test_import_rules.py tests/test_generated_docs.py
