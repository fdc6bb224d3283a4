#define _GNU_SOURCE
#include "CCohortProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <stdint.h>
#include <string.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/// Room for the child's few calls between clone and execve; the parent's own stack holds it.
enum { CHILD_STACK_SIZE = 32 * 1024 };

struct child {
    const struct cohort_spawn_request *request;
    pid_t parent;
    /// Written by the child, which shares the parent's memory while the parent is held.
    volatile enum cohort_spawn_step step;
    volatile int error;
    /// Where the child tells of its failure if it does not share memory; -1 if it does.
    int news;
};

struct failure {
    enum cohort_spawn_step step;
    int error;
};

static _Noreturn void fail(struct child *child, enum cohort_spawn_step step) {
    child->error = errno;
    child->step = step;
    if (child->news >= 0) {
        struct failure failure = { .step = step, .error = child->error };
        ssize_t written = write(child->news, &failure, sizeof(failure));
        (void)written;
    }
    _exit(127);
}

static void reset_signals(void) {
    // Ignored signals outlive execve, and a handler of the parent must not run in memory that is shared with it. All
    // zeros are the default disposition. The system call, because the library withholds the numbers it uses itself, which
    // this process may have been started with ignored.
    unsigned long action[8] = { 0 };
    for (int number = 1; number < NSIG; number++) {
        syscall(SYS_rt_sigaction, number, action, NULL, (size_t)(NSIG - 1) / 8);
    }
}

static int place_descriptors(struct cohort_descriptor_mapping *mappings, size_t count) {
    // What happens to be open without close-on-exec is none of the program's business. Old kernels refuse the flag;
    // there each owner's own close-on-exec has to do.
    syscall(SYS_close_range, 0u, ~0u, CLOSE_RANGE_CLOEXEC);

    int highest = 2;
    for (size_t i = 0; i < count; i++) {
        if (mappings[i].to > highest) {
            highest = mappings[i].to;
        }
    }
    // A source that may be another mapping's target moves out of the way first.
    for (size_t i = 0; i < count; i++) {
        if (mappings[i].from != mappings[i].to && mappings[i].from <= highest) {
            int moved = fcntl(mappings[i].from, F_DUPFD_CLOEXEC, highest + 1);
            if (moved < 0) {
                return -1;
            }
            mappings[i].from = moved;
        }
    }
    for (size_t i = 0; i < count; i++) {
        int result = mappings[i].from == mappings[i].to ? fcntl(mappings[i].to, F_SETFD, 0)
                                                        : dup2(mappings[i].from, mappings[i].to);
        if (result < 0) {
            return -1;
        }
    }
    return 0;
}

static int run_child(void *argument) {
    struct child *child = argument;
    const struct cohort_spawn_request *request = child->request;

    reset_signals();
    if (request->new_session) {
        if (setsid() < 0) {
            fail(child, COHORT_SPAWN_GROUP);
        }
    } else if (request->new_process_group) {
        if (setpgid(0, 0) < 0) {
            fail(child, COHORT_SPAWN_GROUP);
        }
    }
    if (request->death_signal != 0) {
        if (prctl(PR_SET_PDEATHSIG, request->death_signal) < 0) {
            fail(child, COHORT_SPAWN_DEATH_SIGNAL);
        }
        // A parent that died before the call above sends nothing any more.
        if (getppid() != child->parent) {
            _exit(127);
        }
    }
    if (place_descriptors(request->descriptors, request->descriptor_count) < 0) {
        fail(child, COHORT_SPAWN_DESCRIPTOR);
    }
    if (request->directory != NULL && chdir(request->directory) < 0) {
        fail(child, COHORT_SPAWN_DIRECTORY);
    }
    // After the descriptors, whose sources may have numbers above it.
    struct rlimit limit;
    if (request->descriptor_limit > 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = request->descriptor_limit < limit.rlim_max ? request->descriptor_limit : limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(request->path, request->argv, request->envp);
    fail(child, COHORT_SPAWN_EXEC);
}

/// Starts the child in a control group, on a copy of this process's memory: to move it there later would cost as much
/// time as ten starts. Returns its pid, or 0 if that is not to be had here.
static pid_t clone_into_group(struct child *child, int *pidfd) {
    int news[2];
    if (pipe2(news, O_CLOEXEC) < 0) {
        return 0;
    }
    int file = -1;
    struct clone_args arguments = {
        .flags = CLONE_PIDFD | CLONE_INTO_CGROUP,
        .pidfd = (uint64_t)(uintptr_t)&file,
        .exit_signal = SIGCHLD,
        .cgroup = (uint64_t)child->request->control_group,
    };
    pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
    if (pid == 0) {
        child->news = news[1];
        run_child(child);
    }
    close(news[1]);
    struct failure failure;
    ssize_t count = pid < 0 ? 0 : read(news[0], &failure, sizeof(failure));
    close(news[0]);
    if (pid < 0) {
        return 0;
    }
    *pidfd = file;
    if (count == sizeof(failure)) {
        child->step = failure.step;
        child->error = failure.error;
    }
    return pid;
}

struct cohort_spawn_result cohort_spawn(const struct cohort_spawn_request *request) {
    struct child child = { .request = request, .parent = getpid(), .step = COHORT_SPAWN_DONE, .error = 0, .news = -1 };
    char stack[CHILD_STACK_SIZE] __attribute__((aligned(16)));
    int pidfd = -1;

    // No handler may run in the child while it shares this memory.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = request->control_group > 0 ? clone_into_group(&child, &pidfd) : 0;
    if (pid == 0) {
        child.news = -1;
        pid = clone(run_child, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &child, &pidfd);
    }
    int clone_error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);

    if (pid < 0) {
        return (struct cohort_spawn_result){ .pid = -1, .pidfd = -1, .step = COHORT_SPAWN_CLONE, .error = clone_error };
    }
    if (child.step != COHORT_SPAWN_DONE) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
        close(pidfd);
        return (struct cohort_spawn_result){ .pid = -1, .pidfd = -1, .step = child.step, .error = child.error };
    }
    return (struct cohort_spawn_result){ .pid = pid, .pidfd = pidfd, .step = COHORT_SPAWN_DONE, .error = 0 };
}
