internal import CCohortProcess
internal import Glibc

/// Opens a pipe, both ends close-on-exec.
func openPipe() throws(SpawnError) -> (reading: Int32, writing: Int32) {
    var reading: Int32 = -1
    var writing: Int32 = -1
    guard cohort_pipe(&reading, &writing) == 0 else {
        throw .system("open a pipe", errno)
    }
    return (reading: reading, writing: writing)
}
