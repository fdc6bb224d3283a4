#define _GNU_SOURCE
#include "CCohortProcess.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// The guardian is a copy of its supervisor that never returns into the supervisor's code: starting another program for it
// would cost as much as starting the worker. It is made by a process with threads, of which the copy has only one: whatever
// lock another held stays locked for ever. So nothing here allocates, or calls what may take a lock; /proc is read by
// system calls alone.

/// How long killed processes may take to go before they are given up; only what the kernel holds uninterruptibly does.
enum { PATIENCE_SECONDS = 5, LOOK_AGAIN_MICROSECONDS = 500, DEEPEST_TREE = 64 };

static int64_t seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

static bool is_number(const char *text) {
    for (const char *at = text; *at != 0; at++) {
        if (*at < '0' || *at > '9') {
            return false;
        }
    }
    return *text != 0;
}

static pid_t number(const char *text) {
    pid_t value = 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        value = value * 10 + (*text - '0');
    }
    return value;
}

/// Writes a number into the text behind `prefix`; returns the text. `text` has room.
static char *join(char *text, const char *prefix, pid_t value, const char *suffix) {
    char digits[16];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    char *end = stpcpy(text, prefix);
    while (count > 0) {
        *end++ = digits[--count];
    }
    stpcpy(end, suffix);
    return text;
}

/// Calls `visit` for each name in a directory; returns whether it could be read.
static bool for_each_name(const char *path, void (*visit)(const char *name, void *context), void *context) {
    struct entry {
        uint64_t inode;
        int64_t offset;
        unsigned short length;
        unsigned char type;
        char name[];
    };
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) {
        return false;
    }
    char buffer[2048] __attribute__((aligned(8)));
    long count;
    while ((count = syscall(SYS_getdents64, directory, buffer, sizeof(buffer))) > 0) {
        for (long at = 0; at < count;) {
            struct entry *entry = (struct entry *)(buffer + at);
            visit(entry->name, context);
            at += entry->length;
        }
    }
    close(directory);
    return true;
}

// Killing

struct kill_tree {
    pid_t parent;
    int depth;
};

static void kill_below(pid_t parent, int depth);

/// The child first: what it has below it cannot see it die and do something about it before its own turn.
static void kill_child(pid_t child, int depth) {
    kill(child, SIGKILL);
    kill_below(child, depth + 1);
}

/// Kills what a thread has started, by its list of children.
static void kill_children_of_thread(const char *name, void *context) {
    const struct kill_tree *tree = context;
    if (!is_number(name)) {
        return;
    }
    char path[96];
    char middle[32];
    join(path, "/proc/", tree->parent, join(middle, "/task/", number(name), "/children"));
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return;
    }
    char text[1024];
    pid_t child = 0;
    ssize_t count;
    while ((count = read(file, text, sizeof(text))) > 0) {
        for (ssize_t i = 0; i < count; i++) {
            if (text[i] >= '0' && text[i] <= '9') {
                child = child * 10 + (text[i] - '0');
            } else if (child > 0) {
                kill_child(child, tree->depth);
                child = 0;
            }
        }
    }
    close(file);
    if (child > 0) {
        kill_child(child, tree->depth);
    }
}

static void kill_below(pid_t parent, int depth) {
    // What lies deeper comes up when what is above it has gone.
    if (depth > DEEPEST_TREE) {
        return;
    }
    struct kill_tree tree = { .parent = parent, .depth = depth };
    char path[32];
    for_each_name(join(path, "/proc/", parent, "/task"), kill_children_of_thread, &tree);
}

/// For kernels that keep no lists of children: kills a process if its parent is this one.
static void kill_if_child(const char *name, void *context) {
    (void)context;
    char path[32];
    if (!is_number(name)) {
        return;
    }
    int file = open(join(path, "/proc/", number(name), "/stat"), O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return;
    }
    char text[512];
    ssize_t count = read(file, text, sizeof(text) - 1);
    close(file);
    text[count > 0 ? count : 0] = 0;
    // The name may itself contain parentheses; state and parent follow the last one.
    const char *end = strrchr(text, ')');
    if (end != NULL && strlen(end) > 4 && number(end + 4) == getpid()) {
        kill(number(name), SIGKILL);
    }
}

static void write_text(const char *directory, const char *name, const char *text) {
    char path[PATH_MAX];
    if (strlen(directory) + strlen(name) + 2 > sizeof(path)) {
        return;
    }
    stpcpy(stpcpy(stpcpy(path, directory), "/"), name);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file >= 0) {
        ssize_t written = write(file, text, strlen(text));
        (void)written;
        close(file);
    }
}

/// Kills and reaps until there is no child left; returns the program's wait status, or that of SIGKILL if it has none.
///
/// All descendants end up as children of this subreaper, so that `no child` means that all are gone.
static int kill_everything(pid_t program, const char *control_group) {
    int status = SIGKILL;
    int64_t end = seconds() + PATIENCE_SECONDS;
    char path[64];
    bool has_lists = access(join(path, "/proc/self/task/", getpid(), "/children"), R_OK) == 0;
    while (true) {
        if (control_group != NULL) {
            write_text(control_group, "cgroup.kill", "1");
        }
        if (has_lists) {
            kill_below(getpid(), 0);
        } else {
            for_each_name("/proc", kill_if_child, NULL);
        }
        int one;
        pid_t pid;
        while ((pid = waitpid(-1, &one, WNOHANG)) > 0) {
            if (pid == program) {
                status = one;
            }
        }
        if ((pid < 0 && errno == ECHILD) || seconds() > end) {
            return status;
        }
        usleep(LOOK_AGAIN_MICROSECONDS);
    }
}

// The guardian's life

/// Closes everything but these descriptors, which become 0, 1, 2 and so on; false if there is no room to do so.
static bool keep_descriptors(int **kept, int count) {
    for (int i = 0; i < count; i++) {
        // Out of the way of the others first.
        if (*kept[i] < count && (*kept[i] = fcntl(*kept[i], F_DUPFD_CLOEXEC, count)) < 0) {
            return false;
        }
    }
    for (int i = 0; i < count; i++) {
        if (dup3(*kept[i], i, O_CLOEXEC) < 0) {
            return false;
        }
        *kept[i] = i;
    }
    if (syscall(SYS_close_range, (unsigned)count, ~0u, 0) < 0) {
        for (int descriptor = count; descriptor < 1024; descriptor++) {
            close(descriptor);
        }
    }
    return true;
}

static void report(int pipe, struct cohort_guardian_report report) {
    ssize_t written = write(pipe, &report, sizeof(report));
    (void)written;
}

/// Tells people of the end of the supervisor, which cannot do that itself; nobody is waited for.
static void say_last_words(const struct cohort_guardian_request *request, int out, pid_t program) {
    char text[1024];
    if (out < 0 || request->last_words_before == NULL
        || strlen(request->last_words_before) + strlen(request->last_words_after) + 16 > sizeof(text)) {
        return;
    }
    struct pollfd polled = { .fd = out, .events = POLLOUT };
    if (poll(&polled, 1, 0) == 1 && (polled.revents & POLLOUT) != 0) {
        join(text, request->last_words_before, program, request->last_words_after);
        ssize_t written = write(out, text, strlen(text));
        (void)written;
    }
}

static _Noreturn void guard(struct cohort_guardian_request request) {
    // First of all: until then it goes by its supervisor's name, and whoever looks for that finds two.
    prctl(PR_SET_NAME, "cohort-guardian");
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    // What is meant for the supervisor's group, a Ctrl-C, is not for this process.
    setpgid(0, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1);

    struct cohort_spawn_result result = cohort_spawn(request.program);
    int out = request.last_words_before != NULL && fcntl(STDERR_FILENO, F_GETFD) >= 0 ? STDERR_FILENO : -1;
    int *kept[] = { &request.supervisor, &request.report, &request.life, &out };
    if (!keep_descriptors(kept, out < 0 ? 3 : 4)) {
        // Without a report the supervisor knows that it has no guardian.
        kill_everything(result.pid, request.control_group);
        _exit(127);
    }
    // What was for the program is closed; the pid descriptor with it, for a child's end is told by a signal too.
    struct cohort_guardian_report message = { .pid = result.pid, .step = result.step, .error = result.error };
    report(request.report, message);
    if (result.step != COHORT_SPAWN_DONE) {
        _exit(127);
    }
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    int children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    struct pollfd polled[] = {
        { .fd = request.supervisor, .events = POLLIN },
        { .fd = children, .events = POLLIN },
    };
    // Without the descriptor, should the system have none left, looking now and then has to do.
    while (!cohort_has_ended(result.pid)) {
        if (poll(polled, 2, children < 0 ? 10 : -1) < 0) {
            continue;
        }
        if (polled[0].revents != 0) {
            kill_everything(result.pid, request.control_group);
            if (request.socket != NULL) {
                unlink(request.socket);
            }
            if (request.directory != NULL) {
                rmdir(request.directory);
            }
            if (request.control_group != NULL) {
                rmdir(request.control_group);
            }
            // At last: a terminal that has room for a part only may hold up whoever writes to it.
            say_last_words(&request, out, result.pid);
            _exit(128 + SIGKILL);
        }
        struct signalfd_siginfo news;
        ssize_t count = read(children, &news, sizeof(news));
        (void)count;
    }
    message.wait_status = kill_everything(result.pid, request.control_group);
    message.ended = true;
    report(request.report, message);
    _exit(0);
}

pid_t cohort_start_guardian(const struct cohort_guardian_request *request, int *pidfd) {
    pid_t pid = fork();
    if (pid == 0) {
        guard(*request);
    }
    if (pid > 0) {
        *pidfd = cohort_open_process(pid);
    }
    return pid;
}
