# run    builds, lists devices, checks the kernels and writes a piece of music
# test   every test on an OpenCL device, and a package that links the library
# bench  latency, kernels and memory of one denoising step; PEERS=1 adds PyTorch on the same machine
# soak   the slow checks: every kernel's cases under SOAK_SEEDS seeds, on every family of kernels
# check  formatting and sizes of the sources
#
# NO_INSTALL=1 refuses to install what is missing.

SWIFT ?= swift
CONFIGURATION := -c release
SMDIM = $$($(SWIFT) build $(CONFIGURATION) --show-bin-path)/smdim
SOAK_SEEDS ?= 20

.PHONY: run test bench soak check tool toolchain packages

run: tool
	Scripts/demo.sh "$(SMDIM)"

test: packages
	$(SWIFT) run $(CONFIGURATION) --package-path Tests/Consumer Consumer
	$(SWIFT) test $(CONFIGURATION) --disable-xctest

bench: tool
	"$(SMDIM)" bench --preset paper
	"$(SMDIM)" bench --preset small
ifdef PEERS
	Benchmarks/peers/run.sh "$(SMDIM)"
endif

soak: tool
	Scripts/soak.sh "$(SMDIM)" $(SOAK_SEEDS)

check: toolchain
	git ls-files -z --cached --others --exclude-standard '*.swift' | xargs -0 $(SWIFT) format lint --strict
	Scripts/check-sizes.sh

tool: packages
	$(SWIFT) build $(CONFIGURATION) --product smdim

toolchain:
	Scripts/require-swift.sh "$(SWIFT)"

packages: toolchain
	Scripts/require-packages.sh
