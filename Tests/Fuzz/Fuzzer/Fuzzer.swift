internal import CohortFuzzKit
@preconcurrency internal import Glibc

/// What libFuzzer calls: `cohort-fuzz`, which `.ci/fuzz` builds. `COHORT_FUZZ_TARGET` names the target.
private let target: any FuzzTarget = {
    let name = getenv("COHORT_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let type = FuzzTargets.named(name) else {
        let names = FuzzTargets.all.map { $0.name }.joined(separator: ", ")
        fputs("COHORT_FUZZ_TARGET must be one of \(names)\n", stderr)
        exit(2)
    }
    return type.init()
}()

/// Takes one input in; libFuzzer calls it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        try target.run(Array(UnsafeBufferPointer(start: data, count: count)))
    } catch {
        fatalError("\(error)")
    }
    return 0
}
