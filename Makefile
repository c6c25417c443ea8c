# Two commands for a newcomer:   make demo    make test
# The rest is for developers; `make help` lists it.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
APT_TESTS := nut-server nut-client usbip procps iproute2 gcc libc6-dev libusb-1.0-0-dev shellcheck busybox
APT_VM    := qemu-system-x86 busybox udev usbip util-linux iproute2 nut-server gcc libc6-dev libusb-1.0-0-dev

.PHONY: help demo test test-vm test-day test-deb lint types check bench generate pictures deb clean distribution-packages install uninstall

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

demo: $(STAMP)  ## a simulated UPS loses and regains mains; no hardware, no root
	$(BIN)/python tools/demo.py

test: $(STAMP) distribution-packages  ## set up and run all tests (not the virtual machine's)
	@$(BIN)/python -m compileall -q usbhidups  # the tests start it hundreds of times
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not vm and not slow" $(PYTEST_ARGS)

test-vm: $(STAMP)  ## the tests on a real kernel in QEMU
	@tools/install-packages $(APT_VM)
	@$(BIN)/python -m tests.vm.kernel || echo "no kernel for the guest; its tests will be skipped" >&2
	$(BIN)/python -m pytest -m vm tests/vm $(PYTEST_ARGS)

test-day: $(STAMP)  ## 1,000 virtual hours of mixed faults; DAY_ARGS="--hours 10000 --seed 100" for others
	$(BIN)/python -m tests.faults.day $(DAY_ARGS)

bench: $(STAMP)  ## this driver beside NUT's, on the same simulated devices; writes docs/benchmarks.md
	@tools/install-packages $(APT_TESTS)
	@$(BIN)/python -m compileall -q usbhidups  # as it is installed
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

lint: $(STAMP)  ## style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)  ## mypy --strict
	$(BIN)/mypy

check: lint types test  ## what a pull request must pass

generate: $(STAMP)  ## write the files that are made from others: udev rules, manual pages, completions, tables
	$(BIN)/python -m tools.generate

pictures: $(STAMP)  ## docs/pictures: what the tools show, as SVG
	$(BIN)/python -m tools.pictures

deb:  ## a Debian package of the tree, in dist/
	packaging/build-deb

test-deb: $(STAMP)  ## the package in a fresh Debian root (root, debootstrap, a mirror)
	$(BIN)/python -m pytest -m slow tests/packaging $(PYTEST_ARGS)

# A virtual environment of our own; Debian splits `venv` off its Python, so root may have to add it.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || tools/install-packages python3
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || tools/install-packages python3-venv
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# As root the tests' real parts are installed; otherwise the tests that need them skip and say so.
distribution-packages:
	@tools/install-packages $(APT_TESTS)

# Where a distribution puts things. DESTDIR stands before all of them and is written into none of them.
PREFIX         ?= /usr/local
SYSCONFDIR     ?= /etc
BINDIR         ?= $(PREFIX)/bin
LIBDIR         ?= $(PREFIX)/lib/usbhidups
UNITDIR        ?= $(PREFIX)/lib/systemd/system
TMPFILESDIR    ?= $(PREFIX)/lib/tmpfiles.d
SYSUSERSDIR    ?= $(PREFIX)/lib/sysusers.d
UDEVRULESDIR   ?= $(PREFIX)/lib/udev/rules.d
MANDIR         ?= $(PREFIX)/share/man
BASHDIR        ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR         ?= $(PREFIX)/share/zsh/vendor-completions
FISHDIR        ?= $(PREFIX)/share/fish/vendor_completions.d
DOCDIR         ?= $(PREFIX)/share/doc/usbhidups
SHUTDOWNDIR    ?= /usr/lib/systemd/system-shutdown
INITDIR        ?= $(SYSCONFDIR)/init.d
NUTDRIVERDIR   ?= $(firstword $(wildcard /usr/lib/nut /usr/libexec/nut /lib/nut) /usr/lib/nut)
INSTALL_PYTHON ?= /usr/bin/python3
# sysv, openrc, or none: init scripts beside the units
INIT               ?= none
# 1: also take the place of NUT's driver (docs/switching.md)
LINK_AS_USBHID_UPS ?=
# 1: with what appliances need (docs/appliance.md)
WITH_APPLIANCE     ?=

D := $(DESTDIR)
AS_INSTALLED = sed -e 's|/usr/bin/usbhidups|$(BINDIR)/usbhidups|g' -e 's|/usr/lib/usbhidups|$(LIBDIR)|g' \
	-e 's|@PYTHON@|$(INSTALL_PYTHON)|'
INTEGRATION := usbhidups/appliance/integration
UNITS := usbhidups@.service nut-driver@.service.d/usbhidups.conf
APPLIANCE_UNITS := nut-driver@.service.d/usbhidups.conf usbhidups-appliance.service usbhidups-web.service

# $(call put,MODE,FROM,TO): one file, with the places it names as they will be
put = install -d '$(D)$(dir $(3))' && $(AS_INSTALLED) '$(2)' > '$(D)$(3)' && chmod $(1) '$(D)$(3)'

install:  ## for all users, as a distribution would (DESTDIR, PREFIX, INIT=sysv|openrc, LINK_AS_USBHID_UPS=1)
	@if [ -n '$(LINK_AS_USBHID_UPS)' ] && [ -e '$(D)$(NUTDRIVERDIR)/usbhid-ups' ] && \
	    [ ! -L '$(D)$(NUTDRIVERDIR)/usbhid-ups' ]; then \
	  echo '$(D)$(NUTDRIVERDIR)/usbhid-ups is NUT'"'"'s own: move it away first, see docs/switching.md' >&2; exit 1; fi
	install -d '$(D)$(LIBDIR)' '$(D)$(NUTDRIVERDIR)'
	rm -rf '$(D)$(LIBDIR)/usbhidups'
	cp -R usbhidups '$(D)$(LIBDIR)/'
	find '$(D)$(LIBDIR)' -name __pycache__ -prune -exec rm -rf {} +
	$(INSTALL_PYTHON) -m compileall -q $(if $(D),-s '$(D)') '$(D)$(LIBDIR)'
	$(call put,755,init/launcher,$(BINDIR)/usbhidups)
	$(call put,755,init/late-killpower,$(LIBDIR)/late-killpower)
	ln -sfn '$(BINDIR)/usbhidups' '$(D)$(NUTDRIVERDIR)/usbhidups'
	$(if $(LINK_AS_USBHID_UPS),ln -sfn '$(BINDIR)/usbhidups' '$(D)$(NUTDRIVERDIR)/usbhid-ups')
	$(foreach unit,$(UNITS),$(call put,644,systemd/$(unit),$(UNITDIR)/$(unit)) &&) true
	$(call put,755,systemd/system-shutdown/usbhidups,$(SHUTDOWNDIR)/usbhidups)
	$(call put,644,systemd/usbhidups.tmpfiles.conf,$(TMPFILESDIR)/usbhidups.conf)
	$(call put,644,systemd/usbhidups.sysusers.conf,$(SYSUSERSDIR)/usbhidups.conf)
	$(foreach rules,$(wildcard udev/*.rules),$(call put,644,$(rules),$(UDEVRULESDIR)/$(notdir $(rules))) &&) true
	$(foreach page,$(wildcard man/*.8),$(call put,644,$(page),$(MANDIR)/man8/$(notdir $(page))) &&) true
	$(call put,644,completion/usbhidups.bash,$(BASHDIR)/usbhidups)
	$(call put,644,completion/_usbhidups,$(ZSHDIR)/_usbhidups)
	$(call put,644,completion/usbhidups.fish,$(FISHDIR)/usbhidups.fish)
	$(foreach page,LICENSE $(wildcard docs/*.md),$(call put,644,$(page),$(DOCDIR)/$(notdir $(page))) &&) true
	$(foreach picture,$(wildcard docs/pictures/*),$(call put,644,$(picture),$(DOCDIR)/pictures/$(notdir $(picture))) &&) true
	$(if $(filter sysv,$(INIT)),$(call put,755,init/usbhidups,$(INITDIR)/usbhidups))
	$(if $(filter openrc,$(INIT)),$(call put,755,init/openrc/usbhidups,$(INITDIR)/usbhidups))
	$(if $(filter openrc,$(INIT)),$(call put,755,init/openrc/usbhidups-killpower,$(INITDIR)/usbhidups-killpower))
	$(if $(WITH_APPLIANCE),$(foreach unit,$(APPLIANCE_UNITS),$(call put,644,$(INTEGRATION)/$(unit),$(UNITDIR)/$(unit)) &&) true)
	$(if $(WITH_APPLIANCE),$(call put,755,$(INTEGRATION)/system-shutdown.sh,$(SHUTDOWNDIR)/usbhidups))
	$(if $(WITH_APPLIANCE),$(call put,755,$(INTEGRATION)/usbhidups-appliance.init,$(INITDIR)/usbhidups-appliance))

uninstall:  ## remove what install made, with the same settings; configuration stays
	rm -rf '$(D)$(LIBDIR)' '$(D)$(DOCDIR)'
	rm -f '$(D)$(BINDIR)/usbhidups' '$(D)$(NUTDRIVERDIR)/usbhidups' '$(D)$(SHUTDOWNDIR)/usbhidups'
	rm -f '$(D)$(TMPFILESDIR)/usbhidups.conf' '$(D)$(SYSUSERSDIR)/usbhidups.conf'
	rm -f $(foreach name,usbhidups usbhidups-killpower usbhidups-appliance,'$(D)$(INITDIR)/$(name)')
	rm -f $(foreach unit,$(UNITS) $(APPLIANCE_UNITS),'$(D)$(UNITDIR)/$(unit)')
	rm -f $(foreach rules,$(wildcard udev/*.rules),'$(D)$(UDEVRULESDIR)/$(notdir $(rules))')
	rm -f $(foreach page,$(wildcard man/*.8),'$(D)$(MANDIR)/man8/$(notdir $(page))')
	rm -f '$(D)$(BASHDIR)/usbhidups' '$(D)$(ZSHDIR)/_usbhidups' '$(D)$(FISHDIR)/usbhidups.fish'
	rmdir '$(D)$(UNITDIR)/nut-driver@.service.d' 2>/dev/null || true
	if [ "$$(readlink '$(D)$(NUTDRIVERDIR)/usbhid-ups')" = '$(BINDIR)/usbhidups' ]; then \
	  rm '$(D)$(NUTDRIVERDIR)/usbhid-ups'; fi

clean:  ## remove what the above made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
