# SPDX-License-Identifier: GPL-2.0
# rloop: what people type. The work is done by scripts/, in a cache outside the checkout; each of
# them answers --help.

S := $(CURDIR)/scripts
# Given on the command line or in the environment; scripts read them from there.
export SUITE FLAVOUR ARCH KDIR KVER KERNEL DRIVER PARAMS RUN ARGS SHARE MEM SMP NUMA ICOUNT TIMEOUT DISK LOG TESTS TIERS SEED QUICK ROUNDS WAYS WORKLOADS MINUTES CUTS RUNS MODES COUNTS UDEV MODULE GUARDS SCENES CLIENTS RECIPES SERIES STAGES LAYOUTS RUSTC JOBS DRIVERS KEEP DEBVERSION

all:
	@$(S)/build --top >/dev/null
	@echo "rloop.ko is ready"

demo:
	@$(S)/demo

test:
	@$(S)/test

quick:
	@$(S)/test --quick

# bash has a SECONDS of its own.
fuzz:
	@env -u SECONDS TIERS="$(or $(TIERS),fuzz)" FUZZ_SECONDS="$(or $(SECONDS),600)" $(S)/test

bench:
	@$(S)/bench

stress:
	@$(S)/stress

powercut:
	@$(S)/powercut

scale:
	@$(S)/scale

guards:
	@$(S)/guards

deb:
	@$(S)/deb

test-install:
	@$(S)/test-install

clients:
	@$(S)/clients

recipes:
	@$(S)/recipes

intree:
	@$(S)/intree

test-kdir:
	@$(S)/test-kdir

test-intree:
	@$(S)/test-intree

dist:
	@$(S)/deb --dist

rustdoc:
	@$(S)/rustdoc

rust-analyzer:
	@$(S)/rust-analyzer

check:
	@$(S)/check

vm:
	@$(S)/vm

clean:
	@$(S)/clean

cache-clean:
	@$(S)/clean --cache

help:
	@echo 'make                rloop.ko for the running kernel if it is a stock Debian one with Rust,'
	@echo '                    else for the newest of trixie-backports (KVER=7.2.12: another)'
	@echo '                    SUITE=sid: kernel and compilers of Debian unstable; also for test and vm'
	@echo '                    FLAVOUR=rt-amd64 or cloud-amd64: another kernel of Debian; also for vm'
	@echo '                    FLAVOUR=arm64, arm64-16k or cloud-arm64: cross-built; ARCH=arm64 is FLAVOUR=arm64'
	@echo 'make KDIR=dir       rloop.ko for that kernel tree, which must have Rust metadata'
	@echo 'make demo           the whole story in a virtual machine, told as it goes'
	@echo 'make quick          the tests under user-mode Linux, in seconds'
	@echo 'make test           every test; ends with "N passed, N failed, N skipped"'
	@echo 'make fuzz           random walks with both drivers, compared [SECONDS=600] [SEED=number]'
	@echo 'make bench          speed beside the C driver and the backing: tables, plots [QUICK=1] [ROUNDS=5]'
	@echo '                    [WAYS="icount stock uml"] [WORKLOADS="read-1x1 ..."]'
	@echo 'make stress         everything at once on the debug kernel [MINUTES=60] [SEED=number]'
	@echo '                    [KERNEL=debug|stock|uml] [TESTS="stress.use stress.load plug_stress failslab"]'
	@echo 'make powercut       QEMU killed while rloop is written to; what a flush confirmed is there'
	@echo '                    [CUTS=50] [RUNS=10] [MODES="pinned ..."] [SEED=number]'
	@echo 'make scale          a thousand and five thousand devices of each driver: memory and times [COUNTS=]'
	@echo 'make guards         takes the guards of inline submission out, one at a time: tests must fail'
	@echo '                    [GUARDS="name ..."] [ROUNDS=1]'
	@echo 'make check          formatting, lints, checkpatch, litmus tests, the rule about unsafe'
	@echo 'make deb            rloop-dkms, the Debian package, in build/deb/'
	@echo 'make test-install   installs that with apt in a Debian with systemd, and boots it [SCENES="on off ..."]'
	@echo 'make clients        programs of a distribution that use loop devices, with both drivers, in a Debian'
	@echo '                    with systemd [CLIENTS="mount ..."]'
	@echo 'make recipes        the commands of the documents, run as they are printed [RECIPES="partitions ..."]'
	@echo 'make intree         patches for the kernel in build/intree/, applied to KERNEL=dir, a clean source'
	@echo 'make test-intree    applies them to both series of linux-source, builds in four ways, boots those'
	@echo '                    [STAGES="apply tests build lint boot"] [SERIES="stock stock-prev"] [WAYS="gcc llvm"]'
	@echo 'make test-kdir      builds by make KDIR= for trees laid out as those of other distributions, loads the modules'
	@echo 'make dist           the source as build/deb/rloop-VERSION.tar.xz'
	@echo 'make rustdoc        the documentation of both crates, in build/rustdoc; compiles its examples'
	@echo 'make rust-analyzer  rust-project.json, which lets an editor find both crates and the kernel'
	@echo 'make vm             a shell in a virtual machine with rloop loaded, or RUN=script'
	@echo '                    [SHARE=dir] [KERNEL=stock|stock-prev|uml|debug|kcsan] [DRIVER=rloop|loop|none]'
	@echo '                    [PARAMS="dio=1"] [MEM=2G] [SMP=2] [NUMA=nodes] [ICOUNT=1]'
	@echo '                    [TIMEOUT=seconds] [ARGS="..."] [DISK=2G] [LOG=file for the console]'
	@echo 'make clean          removes what was built in this checkout'
	@echo 'make cache-clean    removes build root, kernels and guest from the cache'
	@echo 'scripts/NAME --help what a target does, its arguments and variables'

.PHONY: all demo test quick fuzz bench stress powercut scale guards deb test-install clients recipes intree test-intree test-kdir dist rustdoc rust-analyzer check vm clean cache-clean help
