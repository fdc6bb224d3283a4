internal import Testing

@testable internal import CohortBatch

@Suite("The dry run")
struct DryRunTests {
    @Test("A plan is shown as a tree with its settings, words quoted, nothing that steers a terminal")
    func render() throws {
        let plan = try parse(
            """
            group: nightly
            timeout: 10m
            limit: 8
            tasks:
              - {name: fetch, run: [curl, -o, "a b", "it's"], timeout: 30s, retries: {limit: 3, backoff: 1s}}
              - group: inner
                on_error: first
                grace: 5s
                shield: true
                tasks:
                  - {run: "ls | wc", cwd: /tmp, env: {A: x y}, stdin: "héllo"}
                  - {run: "printf '\\e[31m'\\necho"}
              - {call: f, args: {a: [1]}, shield: true, retries: 1}
              - {call: g}
            """
        )
        #expect(
            DryRun.render(plan) == #"""
                nightly [group, on_error cancel, timeout 10m, limit 8]
                ├─ fetch: curl -o 'a b' 'it'"'"'s'  [timeout 30s, retries 3 after 1s]
                ├─ inner [group, on_error first, grace 5s, shield]
                │  ├─ ls: ls | wc  [cwd /tmp, A='x y', stdin 6 bytes]
                │  └─ printf: printf '\x1b[31m'\necho
                ├─ f: f({"a":[1]})  [retries 1, shield]
                └─ g: g()

                """#
        )
    }
}
