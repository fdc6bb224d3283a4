/// Starting processes, and the Linux calls around them that Swift cannot import by itself.
#ifndef CCOHORTPROCESS_H
#define CCOHORTPROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/types.h>

/// A descriptor of this process and the number under which the new program shall see it.
struct cohort_descriptor_mapping {
    int from;
    int to;
};

/// The step of `cohort_spawn` that failed.
enum cohort_spawn_step {
    COHORT_SPAWN_DONE = 0,
    /// No process could be made.
    COHORT_SPAWN_CLONE,
    /// setsid or setpgid.
    COHORT_SPAWN_GROUP,
    /// PR_SET_PDEATHSIG.
    COHORT_SPAWN_DEATH_SIGNAL,
    /// Placing the descriptors.
    COHORT_SPAWN_DESCRIPTOR,
    /// Entering the working directory.
    COHORT_SPAWN_DIRECTORY,
    /// execve.
    COHORT_SPAWN_EXEC,
};

/// What to run. Everything is borrowed for the length of the call.
struct cohort_spawn_request {
    /// Path of the program; a relative one counts from `directory`. PATH is not searched.
    const char *path;
    char *const *argv;
    char *const *envp;
    /// Working directory, or NULL for that of this process.
    const char *directory;
    /// All descriptors that the program gets, 0, 1 and 2 among them; each `to` at most once. Overwritten by the call.
    struct cohort_descriptor_mapping *descriptors;
    size_t descriptor_count;
    /// Signal that the program gets when the calling THREAD ends; 0 for none.
    int death_signal;
    bool new_process_group;
    bool new_session;
    /// How many descriptors the program may open unless it asks for more (the soft limit); 0 for as many as this process.
    uint64_t descriptor_limit;
    /// Directory of a control group (version 2) that the program is started in; 0 for none. Where the kernel refuses, it
    /// is started without.
    int control_group;
};

/// A started process, or the step that failed with its errno.
struct cohort_spawn_result {
    pid_t pid;
    /// Process descriptor, close-on-exec.
    int pidfd;
    enum cohort_spawn_step step;
    int error;
};

/// Starts a program without copying this process's memory; returns once the program runs or has failed to.
///
/// The program starts with an empty signal mask, with every signal's default disposition, and with no descriptors but
/// those asked for. A process that failed before its program ran has been reaped.
struct cohort_spawn_result cohort_spawn(const struct cohort_spawn_request *request);

/// What a guardian is to do. Everything is borrowed for the length of the call.
struct cohort_guardian_request {
    /// The program to guard.
    const struct cohort_spawn_request *program;
    /// Reading end of a pipe: at its end the guardian kills everything below it, and leaves.
    int supervisor;
    /// Writing end of the pipe that takes the guardian's reports.
    int report;
    /// Writing end of a pipe whose end tells the program that its guardian has gone.
    int life;
    /// Removed at the end of `supervisor`, in this order; NULL for none.
    const char *socket;
    const char *directory;
    /// Path of the control group that the program is started in: killed with the rest, and removed; NULL for none.
    const char *control_group;
    /// Written to standard error at the end of `supervisor`, with the program's number in between; NULL for none.
    const char *last_words_before;
    const char *last_words_after;
};

/// What a guardian tells of its program.
struct cohort_guardian_report {
    /// Of the program, or -1 if it was not started.
    pid_t pid;
    /// The step that failed, with its errno.
    enum cohort_spawn_step step;
    int error;
    /// The program and everything that it has left behind are gone, and `wait_status` tells how it ended.
    bool ended;
    int wait_status;
};

/// Makes a copy of this process that starts a program, and kills whatever that leaves behind. See guardian.c.
///
/// Two reports come: one when the program was started or could not be, the other when it has ended. Returns the guardian's
/// pid and its process descriptor (close-on-exec), or -1 with errno.
pid_t cohort_start_guardian(const struct cohort_guardian_request *request, int *pidfd);

/// Unnamed shared memory of so many bytes, all zero: a close-on-exec descriptor, or -1 with errno.
int cohort_shared_memory(size_t size);

/// Names this process in listings of names (`ps -e`), at most 15 bytes; its threads keep theirs.
void cohort_name_process(const char *name);

/// Bounds the size of every file that another process of this user writes, from now on; `UINT64_MAX` for no bound. Beyond it
/// writing fails there with EFBIG, if the process ignores SIGXFSZ. Returns 0 or -1.
int cohort_bound_file_size(pid_t pid, uint64_t bytes);

/// Opens a pipe, both ends close-on-exec. Returns 0 or -1.
int cohort_pipe(int *reading, int *writing);

/// Makes reads and writes of a descriptor return instead of waiting. Returns 0 or -1.
int cohort_set_nonblocking(int descriptor);

/// The kernel's number of the calling thread.
pid_t cohort_thread_id(void);

/// The greatest resident size that this process has had, in KiB.
long cohort_own_peak_kilobytes(void);

/// A process descriptor, close-on-exec, of a process that is there or was not reaped; else -1 with errno.
int cohort_open_process(pid_t pid);

/// Sends a signal to the process of a descriptor, whoever has its number by now. Returns 0, or -1 with errno.
int cohort_signal_process(int pidfd, int number);

/// Makes orphaned descendants children of this process instead of init's. Returns 0 or -1.
int cohort_become_subreaper(void);

/// Whether SIGCHLD is set so that the kernel throws wait statuses away; if so, restores the default. Returns 0 or -1.
int cohort_keep_wait_statuses(void);

/// Names the calling thread, at most 15 bytes.
void cohort_name_thread(const char *name);

/// How many bytes can be read from a pipe now, or -1.
int cohort_bytes_readable(int descriptor);

/// The parts of a wait status.
bool cohort_wait_exited(int status);
int cohort_wait_exit_code(int status);
int cohort_wait_signal(int status);
bool cohort_wait_core_dumped(int status);

/// Whether the child `pid` has ended and can be reaped; it stays unreaped.
bool cohort_has_ended(pid_t pid);

/// Waits until the child `pid` can be reaped; it stays unreaped. Returns false with errno if it cannot be waited for.
bool cohort_wait_for_end(pid_t pid);

#endif
