/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/rule_text.h"

#include <stddef.h>
#include <string.h>

static const struct rule_text rules[] = {
    {"S1 private-page-mapped",
     "no mapping shows a frame that is the private side of any page; and the attribute says "
     "shared as long as a page is mapped, but where order=attribute-first makes it private",
     "the private side was put behind an address that is mapped for DMA"},
    {"S2 stale-frame", "a mapped page is mapped on its current shared frame",
     "the shared side was dropped, or dropped and touched again, before the unmap: the device "
     "reads and writes a page that nobody else sees"},
    {"S3 live-side-dropped",
     "a side's frame goes, or is replaced, only while the attribute names the other side",
     "a punch or MADV_DONTNEED on the wrong side, on the wrong range, or before the attribute "
     "was changed: guest data is lost"},
    {"S4 outside-listener",
     "a mapping lies at a guest page's address, in a live listener's part of a section, goes "
     "over neither's end, and has at most the access that the section gives",
     "a mapping survived its listener; ROM was mapped writable; a wrong IOVA"},
    {"S5 accounting",
     "mapped pages, pins, DMA entries and locked memory are what the mappings imply",
     "a mapping was made that spans pages (the entry count differs), or an open and close is "
     "out of step with attach and detach"},
    {"S6 outside-request",
     "attribute, tracker, plug state and mappings of pages outside the request do not change, "
     "not for a moment",
     "a range that is too long, wrongly clipped, or translated with the wrong offset; an undo "
     "that takes away what was there before"},
    {"S7 unplugged-page-mapped", "a mapped page is plugged",
     "a plug state that is changed before the listeners are told; a conversion that maps an "
     "unplugged page"},
    {"I1 unwanted-mapping",
     "nothing is mapped that is private, unplugged, held back, or that no listener wants",
     "an unmap was skipped, or its failure was ignored"},
    {"I2 missing-mapping",
     "every plugged and shared page that nobody holds back, in a listener's part of a section, "
     "is mapped, with the section's access",
     "a map was skipped: a listener or a section left out, a replay that stopped early, a "
     "tracker that already said \"shared\""},
    {"I3 attribute-or-tracker",
     "attribute, tracker and plug state are what the successful conversions, plugs and unplugs "
     "made of the page",
     "attribute set and tracker forgotten, or an undo that restored one of them"},
    {"I4 two-backings",
     "a page that did not change sides kept its live frame; the other side is gone, or is debt",
     "the old side was not dropped, or was dropped and touched again; debt was forgotten "
     "before the way back"},
    {"I7 guest-status",
     "the guest that asked by hypercall was told 0 (done), EINVAL (refused) or EAGAIN (failed, "
     "or stopped)",
     "a path that returns without writing the hypercall's result"},
    {"V1 plugged-empty",
     "a page that was just plugged has no frame but the one that mapping it made; one that was "
     "just unplugged has lost both sides",
     "a drop of one side only (guest_memfd is forgotten); leftovers that are not looked for "
     "before a plug"},
    {"V2 virtio-mem-response",
     "the guest that asked for a plug or an unplug was told ACK (done), NACK (more than "
     "requested), ERROR (never) or BUSY (a migration runs, or a call failed)",
     "a path that returns without a response"},
    {"M1 dirty-pages",
     "a dirty-sync tells of each page whether its content is on the shared side, on the "
     "private side or nowhere (unplugged), and calls it dirty exactly if since the last sync "
     "it "
     "was converted, or mapped for DMA with write access for any moment",
     "private pages taken for discarded ones; pages forgotten because they were unmapped, or "
     "converted, before anybody asked"},
    {"D1 data",
     "a CPU or DMA access returns what was last written to the page as it is now, and fails "
     "with the right errno where it must",
     "a stale mapping, a lost page, a device that reaches what it must not"},
    {"D3 blocked",
     "mode=inplace: a conversion or unplug that failed because pages are in use says which",
     "the offset that the kernel gave taken for a page of another region, or of the request; "
     "an old answer that was not forgotten"},
    {"D2 query",
     "a query says whether every page of the range is populated: plugged, shared, and not held "
     "back",
     "the tracker's range arithmetic"},
    {"D4 guards",
     "after a device or a region came or went, or tried to, and after another user took or "
     "gave back a discard guard: exactly those guards could be taken by someone else that "
     "nobody present excludes",
     "a guard that was taken for what did not come, and not given back"},
    {"O1 refusal",
     "an op is refused exactly where the decision table says so, with that errno, before "
     "anything is done",
     "a check that comes too late, after a call that has an effect, or is missing"},
    {"O2 must-succeed", "what nothing hinders succeeds",
     "an error that the state manager invented"},
    {"O3 wrong-error",
     "a failure returns the errno of a host call that failed (or of the limit that the target "
     "breaks)",
     "an error that was replaced by another one on its way up"},
    {"O4 limit-excuse", "a limit excuses nothing where the target fits",
     "mapping before unmapping; entries that were never given back"},
    {"O5 old-state", "an op that failed, or was refused, leaves the old state",
     "a step without an undo, an undo that misses the listener that failed or the run that was "
     "half done"},
    {"O6 after-stop",
     "once stopped, everything but tear-down answers EIO, makes no host call and changes "
     "nothing",
     "an entry point that does not ask whether the VM is stopped"},
    {"O7 must-not-stop",
     "only a convert, attach, listen, unlisten, plug, unplug, remove, add, reset, source-add "
     "or source-remove that fails "
     "may stop the VM, only with failure=stop (convert) or a failure inside the undo",
     "stopping where the old state could be had"},
    {"O8 retry-heals",
     "when an op has failed and the VM goes on, the same op without faults succeeds",
     "a leftover that blocks the way: state that was half put back, and looks whole"},
    {"O9 nothing-to-do",
     "a conversion whose pages are all in the wanted state already makes no host call with an "
     "effect",
     "a repeat that is not recognised: a second map gets EEXIST, a second drop hits the live "
     "side"},
    {"O10 must-stop", "with failure=stop a conversion that fails stops the VM",
     "a policy that nobody asks"},
    {"O11 one-mapping-a-run",
     "mapping=run: the pages that an op that succeeded has mapped are one mapping a run; what "
     "it cut off of a mapping stays one mapping",
     "mapping page by page, pieces that were joined, a cut at the wrong page"},
    {"O12 limit-first",
     "where the target goes over the entry limit, that is found out before a host call with an "
     "effect is made",
     "the kernel is asked, map by map, until it refuses; an entry count of the state manager's "
     "own that is wrong"},
    {"X0 start-state",
     "all that can be private is private, no page has come into being, no container is open",
     NULL},
    {"X1 incremental-checker",
     "what the model counted step by step is what counting from scratch gives", NULL},
    {"I8 leak",
     "no container open, nothing mapped, no pin, locked page, file, memory mapping, physical "
     "page or allocation is left",
     NULL},
    {"P1 pin",
     "others get their references exactly where the host may touch the page and holds none yet",
     NULL},
    {"E1 expectation", "what the scenario's expect lines say holds", NULL},
    {"build", "a machine without faults comes up", NULL},
    {"tear-down", "it does not fail without a fault, unless the VM had been stopped", NULL},
    {"crash", "no signal inside the subject, and it does not end its process", NULL},
    {"hang", "no op goes over the bound of host calls, or of 20 seconds of CPU time", NULL},
    {"nondeterminism", "a program that is run twice gives one hash", NULL},
};

const struct rule_text *rule_text_at(uint32_t i)
{
    return i < sizeof(rules) / sizeof(rules[0]) ? &rules[i] : NULL;
}

const struct rule_text *rule_text(const char *name)
{
    const struct rule_text *rule;

    for (uint32_t i = 0; (rule = rule_text_at(i)) != NULL; i++)
        if (strcmp(rule->name, name) == 0)
            return rule;
    return NULL;
}
