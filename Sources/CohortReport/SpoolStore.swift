internal import Glibc

/// Where output waits that cannot be printed yet: a budget of memory, and behind it one unlinked temporary file.
///
/// All spools of a process share one store and one file, so that neither many tasks nor large ones run into the limit of
/// open files. The file consists of blocks; those of a spool that has been drained are used again. Nothing is left
/// behind, however the process ends. Not thread-safe: the store and its spools belong to one thread or actor.
package final class SpoolStore {
    /// Size of a block of the file. A block that is not filled takes only the room on disk that it needs.
    static let blockSize = 64 << 10

    /// Bytes that one task may keep in memory.
    package let memoryPerTask: Int
    /// Bytes that all tasks together may keep in memory.
    package let memory: Int
    /// Where the temporary file is.
    package let directory: String

    private(set) package var memoryInUse = 0
    private var descriptor: Int32 = -1
    private var blocks: UInt32 = 0
    private var freeBlocks: [UInt32] = []

    /// - Parameter directory: `nil` stands for `$TMPDIR`, or `/tmp` if that is not set.
    package init(directory: String? = nil, memoryPerTask: Int = 64 << 10, memory: Int = 16 << 20) {
        self.memoryPerTask = memoryPerTask
        self.memory = memory
        let variable = getenv("TMPDIR").map { String(cString: $0) } ?? ""
        self.directory = directory ?? (variable.isEmpty ? "/tmp" : variable)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Bytes of the temporary file that hold output now.
    package var fileBytesInUse: Int { (Int(blocks) - freeBlocks.count) * Self.blockSize }

    // MARK: - Memory

    func reserve(_ bytes: Int) -> Bool {
        guard memoryInUse + bytes <= memory else { return false }
        memoryInUse += bytes
        return true
    }

    func release(_ bytes: Int) {
        memoryInUse -= bytes
    }

    // MARK: - Blocks

    func allocateBlock() -> UInt32 {
        if let block = freeBlocks.popLast() { return block }
        blocks += 1
        return blocks - 1
    }

    func free(_ freed: [UInt32]) {
        guard !freed.isEmpty else { return }
        freeBlocks.append(contentsOf: freed)
        if freeBlocks.count == Int(blocks) {
            // Gives the room on disk back. Should that fail, the blocks are still good.
            freeBlocks.removeAll()
            blocks = 0
            _ = ftruncate(descriptor, 0)
        }
    }

    func write(_ bytes: RawSpan, toBlock block: UInt32, at offset: Int) throws(ReportError) {
        if descriptor < 0 { descriptor = try openFile() }
        let failure = FileIO.writeAll(bytes, to: descriptor, at: Int(block) * Self.blockSize + offset)
        if failure != 0 { throw ReportError.spool(directory: directory, action: "keep", errno: failure) }
    }

    func read(_ buffer: UnsafeMutableRawBufferPointer, fromBlock block: UInt32) throws(ReportError) {
        let failure = FileIO.readAll(buffer, from: descriptor, at: Int(block) * Self.blockSize)
        if failure != 0 { throw ReportError.spool(directory: directory, action: "read back", errno: failure) }
    }

    // MARK: - The file

    private func openFile() throws(ReportError) -> Int32 {
        // O_TMPFILE, which the C library hides behind a macro: the file never has a name.
        let unnamed = 0o20_000_000 | O_DIRECTORY
        let descriptor = open(directory, unnamed | O_RDWR | O_CLOEXEC, 0o600)
        if descriptor >= 0 { return descriptor }
        // Not every file system can do it.
        guard errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL else {
            throw ReportError.spool(directory: directory, action: "keep", errno: errno)
        }
        let name = directory + "/cohort-\(getpid())-" + String(UInt64.random(in: .min ... .max), radix: 36)
        let named = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard named >= 0 else { throw ReportError.spool(directory: directory, action: "keep", errno: errno) }
        unlink(name)
        return named
    }
}
