# run    builds, lists devices, checks the kernels and writes a piece of music
# test   every test on an OpenCL device, and the packages that use the library
# bench  latency, kernels and memory of one denoising step; PEERS=1 adds PyTorch on the same machine
# soak   the slow checks: listed and drawn cases of every kernel, checked accesses, pieces, faults, fuzzing; a table at the end
# bundle an archive for a machine with a GPU driver and nothing else; bundle-test runs it on a bare Debian with PoCL
# check  formatting and sizes of the sources
#
# NO_INSTALL=1 refuses to install what is missing.

SWIFT ?= swift
CONFIGURATION := -c release
SMDIM = $$($(SWIFT) build $(CONFIGURATION) --show-bin-path)/smdim
SOAK_SEEDS ?= 20

# The tests run in two processes, because PoCL compiles one kernel at a time in each: cases of kernels, and all others.
RUN_TESTS = $(SWIFT) test $(CONFIGURATION) --disable-xctest --skip-build --ignore-lock
KERNEL_TESTS = 'OnDevice/(Parity|DrawnCaseTests|BFloat16Products)'

# The tool of the bundle: Swift's libraries inside, the others beside it. RPATH and neither RUNPATH nor a launcher that
# sets LD_LIBRARY_PATH, because GPU containers set that themselves, often to a folder with another OpenCL loader.
BUNDLE_BUILD = $(CONFIGURATION) --scratch-path .build-bundle --product smdim --static-swift-stdlib \
	-Xlinker --disable-new-dtags -Xlinker --strip-all

.PHONY: run test dependents kernel-tests other-tests bench soak bundle bundle-test check tool toolchain packages

run: tool
	Scripts/demo.sh "$(SMDIM)"

test: packages
	$(SWIFT) build $(CONFIGURATION) --build-tests
	+$(MAKE) dependents
	+$(MAKE) --jobs=2 kernel-tests other-tests

# The packages that use the library: one runs, the fuzzers are compiled alone. In the folder of the build above, so that the
# library is not compiled again; Swift (6.3) plans anew for another package only where it finds no plan.
BUILD_BESIDE = rm -f .build/release/description.json && $(SWIFT) build $(CONFIGURATION) --scratch-path .build
dependents:
	$(BUILD_BESIDE) --package-path Tests/Consumer --product Consumer
	.build/release/Consumer
	$(BUILD_BESIDE) --package-path Tests/Fuzz --target Fuzz

kernel-tests:
	$(RUN_TESTS) --filter $(KERNEL_TESTS)

other-tests:
	$(RUN_TESTS) --skip $(KERNEL_TESTS)

bench: tool
	"$(SMDIM)" bench --preset paper
	"$(SMDIM)" bench --preset small
ifdef PEERS
	Benchmarks/peers/run.sh "$(SMDIM)"
endif

soak: tool
	Scripts/soak.sh "$(SMDIM)" $(SOAK_SEEDS)

bundle: packages
	$(SWIFT) build $(BUNDLE_BUILD)
	Scripts/bundle.sh "$$($(SWIFT) build $(BUNDLE_BUILD) --show-bin-path)/smdim" .build-bundle/checkouts

bundle-test:
	Scripts/test-bundle.sh dist/smdim-linux-x86_64.tar.gz

check: toolchain
	git ls-files -z --cached --others --exclude-standard '*.swift' | xargs -0 $(SWIFT) format lint --strict
	Scripts/check-sizes.sh

tool: packages
	$(SWIFT) build $(CONFIGURATION) --product smdim

toolchain:
	Scripts/require-swift.sh "$(SWIFT)"

packages: toolchain
	Scripts/require-packages.sh "$(SWIFT)"
