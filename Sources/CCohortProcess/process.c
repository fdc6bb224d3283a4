#define _GNU_SOURCE
#include "CCohortProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int cohort_pipe(int *reading, int *writing) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return -1;
    }
    *reading = ends[0];
    *writing = ends[1];
    return 0;
}

int cohort_bound_file_size(pid_t pid, uint64_t bytes) {
    // The hard limit stays: only who has privileges could lift it again.
    struct rlimit limit;
    if (prlimit(pid, RLIMIT_FSIZE, NULL, &limit) < 0) {
        return -1;
    }
    limit.rlim_cur = bytes == UINT64_MAX || bytes > limit.rlim_max ? limit.rlim_max : (rlim_t)bytes;
    return prlimit(pid, RLIMIT_FSIZE, &limit, NULL);
}

pid_t cohort_thread_id(void) {
    return gettid();
}

long cohort_own_peak_kilobytes(void) {
    struct rusage usage = { 0 };
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

int cohort_open_process(pid_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

int cohort_signal_process(int pidfd, int number) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0);
}

int cohort_become_subreaper(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1);
}

int cohort_keep_wait_statuses(void) {
    struct sigaction action;
    if (sigaction(SIGCHLD, NULL, &action) < 0) {
        return -1;
    }
    if (action.sa_handler == SIG_IGN) {
        action.sa_handler = SIG_DFL;
    } else if ((action.sa_flags & SA_NOCLDWAIT) == 0) {
        return 0;
    }
    action.sa_flags &= ~SA_NOCLDWAIT;
    return sigaction(SIGCHLD, &action, NULL);
}

void cohort_name_thread(const char *name) {
    pthread_setname_np(pthread_self(), name);
}

void cohort_name_process(const char *name) {
    // The name of a process is that of its first thread, which need not be the calling one.
    int file = open("/proc/self/comm", O_WRONLY | O_CLOEXEC);
    if (file >= 0) {
        ssize_t written = write(file, name, strlen(name));
        (void)written;
        close(file);
    }
}

int cohort_shared_memory(size_t size) {
    int memory = memfd_create("cohort", MFD_CLOEXEC);
    if (memory >= 0 && ftruncate(memory, (off_t)size) < 0) {
        int error = errno;
        close(memory);
        errno = error;
        return -1;
    }
    return memory;
}

int cohort_bytes_readable(int descriptor) {
    int count = 0;
    return ioctl(descriptor, FIONREAD, &count) < 0 ? -1 : count;
}

bool cohort_wait_exited(int status) {
    return WIFEXITED(status);
}

int cohort_wait_exit_code(int status) {
    return WEXITSTATUS(status);
}

int cohort_wait_signal(int status) {
    return WTERMSIG(status);
}

bool cohort_wait_core_dumped(int status) {
    return WCOREDUMP(status) != 0;
}

bool cohort_has_ended(pid_t pid) {
    siginfo_t info = { 0 };
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

bool cohort_wait_for_end(pid_t pid) {
    siginfo_t info = { 0 };
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == 0;
}

int cohort_set_nonblocking(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 ? -1 : fcntl(descriptor, F_SETFL, flags | O_NONBLOCK);
}
