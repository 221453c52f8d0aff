# Everything works on a fresh Debian or Raspberry Pi OS with python3, git and make; see README.md.
#   PYTHON=…               which Python (3.11 or newer) the project's .venv is made from
#   LIGHTTLS_NO_APT=1      never install system packages, only say which are missing
#   LIGHTTLS_REQUIRE_ALL=1 tests fail where they would skip for a missing package

PYTHON ?= python3
export PYTHON

.PHONY: help demo demo-modem test coverage mutants cross interop fuzz size assurance check bench timing docs deps clean

help:
	@echo "make demo       set up, then publish over mutual TLS 1.2 to a server on this machine"
	@echo "make demo-modem the same from behind a simulated LTE modem and secure element, by HTTPS and MQTT"
	@echo "make test       set up, then run the tests"
	@echo "make coverage   walk every branch of the protocol's rooms, or say which one no test takes"
	@echo "make mutants    switch off checks of the protocol, one at a time: some test must fail for each"
	@echo "make cross      run the C core on every processor that qemu stands for here (minutes)"
	@echo "make interop    meet every server that docs/interop.md lists, and write it anew (half an hour)"
	@echo "make fuzz       fuzz each part that reads strangers' bytes, in C and in Python, for half an hour"
	@echo "make size       what the C core needs of a microcontroller: flash and stack"
	@echo "make assurance  every proof of the C core in its long form (hours)"
	@echo "make check      lint, types, formatting, import rules"
	@echo "make bench      compare with ssl, rtls, pyOpenSSL and cryptography (ten minutes)"
	@echo "make timing     look for secrets in running times, for ten minutes and more"
	@echo "make docs       bring the generated parts of docs/ up to date"
	@echo "make deps       install every system package that any of these uses; servers for make interop it installs itself"
	@echo "make clean      remove .venv and everything built"

demo:
	@tools/setup.sh run
	@tools/with_engine.sh -m lighttls demo

demo-modem:
	@tools/setup.sh demo
	@tools/with_engine.sh -m lighttls demo modem

test:
	@tools/setup.sh test
	@tools/test.sh

coverage:
	@tools/setup.sh test
	@tools/with_engine.sh -m coverage run -m pytest -q tests/unit tests/hostile tests/property
	@tools/with_engine.sh -m coverage report

mutants:
	@tools/setup.sh test
	@nice tools/with_engine.sh tools/mutate_checks.py --sample $${LIGHTTLS_MUTANTS:-50}

cross:
	@tools/setup.sh test
	@LIGHTTLS_LONG=1 LIGHTTLS_REQUIRE_ALL=1 tools/with_engine.sh -m pytest tests/cross

interop:
	@tools/setup.sh interop
	@mkdir -p build
	@LIGHTTLS_INTEROP=build/interop.json LIGHTTLS_REQUIRE_ALL=1 tools/with_engine.sh -m pytest tests/interop
	@tools/with_engine.sh tools/interop.py build/interop.json

fuzz:
	@tools/setup.sh dev
	@LIGHTTLS_FUZZ_SECONDS=$${LIGHTTLS_FUZZ_SECONDS:-1800} LIGHTTLS_REQUIRE_ALL=1 tools/with_engine.sh -m pytest -s tests/fuzz

size:
	@tools/setup.sh test
	@LIGHTTLS_REQUIRE_ALL=1 tools/with_engine.sh -m pytest -q tests/size

assurance:
	@tools/setup.sh test
	@tools/assurance.sh

check:
	@tools/setup.sh dev
	@tools/check.sh

bench:
	@tools/setup.sh bench
	@mkdir -p .benchmarks
	@tools/with_engine.sh -m pytest bench --benchmark-json=.benchmarks/latest.json

timing:
	@tools/setup.sh test
	@LIGHTTLS_LONG=1 LIGHTTLS_REQUIRE_ALL=1 tools/with_engine.sh -m pytest -s tests/timing

docs:
	@tools/setup.sh run
	@tools/with_engine.sh tools/state_diagram.py
	@tools/with_engine.sh tools/conformance.py
	@tools/with_engine.sh tools/limbo_choices.py
	@tools/with_engine.sh tools/chain_reasons.py

deps:
	@tools/packages.sh all
	@tools/lwip_source.sh

clean:
	rm -rf .venv build dist src/*.egg-info src/lighttls/crypto/_core.*so src/lighttls/crypto/_core.c \
		src/lighttls/transports/lwip/_core.*so src/lighttls/transports/lwip/_core.c
