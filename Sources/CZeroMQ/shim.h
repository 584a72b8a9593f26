// What Swift needs of libzmq; the values that are macros there and so are not imported stand here as functions.
// Also the few Linux calls that Glibc's module leaves out. No logic of ours.
#pragma once
#include <zmq.h>
#include <zmq_utils.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

static inline int causeway_zmq_version(void) { return ZMQ_VERSION; }

/// A non-blocking event counter that is closed on exec; -1 and errno when there is none to be had.
static inline int causeway_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

/// Names the calling thread (15 characters count); what top and a debugger show.
static inline void causeway_thread_name(const char *name) { (void)prctl(PR_SET_NAME, (unsigned long)name, 0, 0, 0); }

/// Overwrites a secret in a way the optimiser may not leave out.
static inline void causeway_wipe(void *bytes, size_t count) {
    memset(bytes, 0, count);
    __asm__ __volatile__("" : : "r"(bytes) : "memory");
}

/// ZMQ_ZAP_ENFORCE_DOMAIN: the header hides it among the drafts, the library has known it since 4.3.0.
static inline int causeway_zap_enforce_domain(void) { return 93; }
