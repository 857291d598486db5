import Synchronization

/// The programs of one context, each built once however many tasks ask for it.
final class ProgramLibrary: Sendable {
    private let shelves = Mutex<[Specialisation: Shelf]>([:])
    private let disk: BinaryStore?

    /// The place of one program.
    ///
    /// Its lock is held while the program is built: who wants the same program waits for it, and different programs are
    /// built at the same time.
    private final class Shelf: Sendable {
        let program = Mutex<Program?>(nil)
    }

    init(disk: BinaryStore?) {
        self.disk = disk
    }

    func program(_ specialisation: Specialisation, in context: Context) throws(OpenCLError) -> Program {
        let shelf = shelves.withLock { shelves in
            if let known = shelves[specialisation] { return known }
            let new = Shelf()
            shelves[specialisation] = new
            return new
        }
        return try shelf.program.withLock { program throws(OpenCLError) in
            if let program { return program }
            let built = try Program(specialisation, in: context, disk: disk)
            program = built
            return built
        }
    }
}

extension Context {
    /// The program of a specialisation, from memory, else from the disk cache, else compiled.
    ///
    /// It is built once, however many tasks ask for it, and stays in memory as long as the context.
    ///
    /// - Throws: `invalidArgument` for a specialisation with malformed names, `buildFailed` with the compiler's log,
    ///   `callFailed` if the driver refuses.
    public func program(_ specialisation: Specialisation) throws(OpenCLError) -> Program {
        try programs.program(specialisation, in: self)
    }
}
