#ifndef CZEROMQ_SHIM_H
#define CZEROMQ_SHIM_H

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <zmq.h>

// Stable in the library since 4.3.0, yet the header declares it only for builds with the draft API.
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

/// A descriptor that any thread can make readable; neither inherited by programs nor blocking. -1 and errno if there is none.
static inline int czmq_wake_descriptor(void) {
    return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

/// Names the calling thread; the kernel keeps 15 bytes. Here because prctl is variadic, which Swift cannot call.
static inline void czmq_name_thread(const char *name) {
    (void) prctl(PR_SET_NAME, name, 0, 0, 0);
}

#endif
