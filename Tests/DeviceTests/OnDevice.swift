import Testing

/// The root of all suites that use a device: one test at a time, because they count what lives on it.
///
/// A missing device fails them.
@Suite(.serialized, .timeLimit(.minutes(5))) enum OnDevice {}
