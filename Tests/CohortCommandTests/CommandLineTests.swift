internal import Testing

/// The real `cohort` program, run as a user runs it: every test starts processes and judges by what they print, by their exit
/// status and by what is left of them.
///
/// One at a time: many of them measure time, memory or what survives on the whole machine.
@Suite("The command line", .serialized)
enum CommandLineTests {}
