/// Every example; those with a number are of the usual tutorials, in their order.
let allExamples: [any Example.Type] = [
    ThreeTasks.self,  // E1
    NineValues.self,  // E2
    OneTaskFails.self,  // E3
    OneTaskCancelled.self,  // E4
    Workers.self,  // E5
    WorkerFails.self,  // E6
    WorkerTimeouts.self,  // E7
    NestedGroups.self,  // E8
    Fetches.self,  // E9
    CleanupOnCancel.self,  // E10
    AsCompletedAfterTheGroup.self,  // E11
    BackgroundTask.self,  // E13
    GroupWithFailure.self,  // E15
    Gather.self,  // E16
    GatherEnds.self,  // E17
    FirstMirror.self,  // E18
    CancelAWorker.self,  // E19
    TwoTimeouts.self,  // E20
    SayAfter.self,  // E22
    NestedCall.self,  // E24
    Progress.self,  // E27
    Factorials.self,  // E28
    WaitFor.self,  // E29
    WaitOnOne.self,  // E30
    WaitFirst.self,  // E31
    AsTheyEnd.self,  // E32
    NotAwaited.self,  // E33
    CancelMe.self,  // E34
    Stream.self,
    Siblings.self,
    Limit.self,
    DeadlineMoved.self,
    Shielded.self,
    ErrorTrees.self,
    Context.self,
    Retries.self,
    Commands.self,
]
