# A make that calls make: two recipes of the inner one each wait until the other one has started, which happens only
# when the inner make may run two jobs at once. FOLDER is where they meet; each waits for some seconds at most.
.PHONY: all inner left right held

all:
	@$(MAKE) --no-print-directory -f $(firstword $(MAKEFILE_LIST)) inner

inner: left right

MEET = touch $(FOLDER)/$@; for try in $$(seq 100); do test -e $(FOLDER)/$(1) && exit 0; sleep 0.1; done; echo "$@ is alone"; exit 1

left:
	@$(call MEET,right)

right:
	@$(call MEET,left)

# A recipe that gets the jobserver, and one that does not.
held:
	+@$(FDS); true
	@$(FDS); true
