internal import CohortRuntime
internal import Testing

@Suite("Endpoints")
struct EndpointTests {
    @Test(
        "of this machine alone are known",
        arguments: [
            ("tcp://127.0.0.1:7077", true), ("tcp://127.9.8.7:1", true), ("tcp://localhost:7077", true),
            ("tcp://[::1]:7077", true), ("ipc:///run/user/1/s", true), ("ipc://@abstract", true),
            ("tcp://0.0.0.0:7077", false), ("tcp://*:7077", false), ("tcp://192.168.1.5:65535", false),
            ("tcp://127.0.0.1.example.org:7077", false), ("tcp://127.example:7077", false),
            ("tcp://[::]:7077", false), ("tcp://eth0:7077", false), ("tcp://127.0.0.1:*", true),
        ]
    )
    func local(text: String, isLocal: Bool) throws {
        #expect(try Endpoint(text, isBound: true).isLocal == isLocal)
    }

    @Test(
        "that are none are told, with what is right",
        arguments: [
            ("", "tcp://ADDRESS:PORT"), ("nonsense", "'nonsense'"), ("http://a:1", "tcp://ADDRESS:PORT"),
            ("tcp://127.0.0.1", "no port"), ("tcp://:7077", "no port"), ("tcp://127.0.0.1:", "1 to 65535"),
            ("tcp://127.0.0.1:99999", "'99999'"), ("tcp://127.0.0.1:0", "1 to 65535"),
            ("tcp://127.0.0.1:-1", "1 to 65535"), ("tcp://127.0.0.1:+1", "1 to 65535"),
            ("tcp://127.0.0.1:*", "1 to 65535"), ("tcp://*:7077", "one address"), ("tcp://::1:7077", "[ ]"),
            ("tcp://a b:7077", "not a host"), ("tcp://a/b:7077", "not a host"), ("ipc://", "no path"),
            ("ipc:///\(String(repeating: "d", count: 200))", "at most 107"), ("tcp://a\u{0}:1", "zero byte"),
        ]
    )
    func invalid(text: String, words: String) {
        let error = #expect(throws: Endpoint.Invalid.self) { try Endpoint(text) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test("have a path where they are files")
    func path() throws {
        #expect(try Endpoint("ipc:///run/s").path == "/run/s")
        #expect(try Endpoint("ipc://@s").path == nil)
        #expect(try Endpoint("tcp://h:1").path == nil)
    }
}
