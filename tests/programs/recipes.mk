# What the tests of GNU make run. FDS names the child that lists its descriptors.
.PHONY: direct shell expansion pair first second output fails missing killed no-permission directory no-interpreter \
	ignored one-shell many

# Without any character that is special to a shell, make starts the program itself.
direct:
	@$(FDS)

shell:
	@$(FDS); true

expansion:
	@:$(info $(shell $(FDS)))

# With -j2 both run at once.
pair: first second
first second:
	@$(FDS) && sleep 0.2

output:
	echo one
	@echo two; echo three >&2
	@env NAME=value printenv NAME
	@printf '%s\n' $(shell printf 'a b')
fails:
	@exit 3
missing:
	@no-such-program-anywhere argument
killed:
	@kill -KILL $$$$; true
no-permission:
	@$(SCRATCH)/not-executable
directory:
	@$(SCRATCH)/directory
no-interpreter:
	@$(SCRATCH)/no-interpreter argument
ignored:
	-@exit 4
	@echo still here

one-shell: SHELL = /bin/bash
one-shell: .SHELLFLAGS = -e -c
one-shell:
	@[[ $$BASH_VERSION ]] && echo bash

many: $(addprefix many-,1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20)
many-%:
	@echo $*; true
