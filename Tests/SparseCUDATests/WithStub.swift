import Testing

/// Tests that use the stub run one after the other: it is one for the whole process.
@Suite(.serialized) struct WithStub {}
