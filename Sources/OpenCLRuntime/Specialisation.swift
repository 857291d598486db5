/// One program as data: its text and everything that changes what the compiler makes of it.
///
/// It is the key under which the compiled program is kept.
public struct Specialisation: Sendable, Hashable {
    /// A file of OpenCL C; the compiler's messages cite its name.
    public struct Source: Sendable, Hashable {
        /// Name without quotes, backslashes or line breaks.
        public var fileName: String
        /// Text of the file.
        public var text: String

        /// A file with a name and a text.
        public init(fileName: String, text: String) {
            self.fileName = fileName
            self.text = text
        }
    }

    /// A macro that is defined before the first file.
    public struct Define: Sendable, Hashable {
        /// A C identifier.
        public var name: String
        /// One line of C tokens; may be empty.
        public var value: String

        /// A macro with a replacement text.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }

        /// A macro that stands for a whole number.
        public init(_ name: String, _ value: Int) {
            self.init(name, String(value))
        }
    }

    /// Files in the order in which the compiler reads them.
    public var sources: [Source]
    /// Macros in the order in which they are defined.
    public var defines: [Define]

    /// A program from files and macros.
    public init(sources: [Source], defines: [Define] = []) {
        self.sources = sources
        self.defines = defines
    }

    /// Names of the files, for messages.
    var name: String { sources.map(\.fileName).joined(separator: " + ") }

    /// Options as the compiler takes them, none of which relaxes arithmetic; the second keeps the kernels' parameter names and
    /// types, which `bind` checks.
    static let optionText = "-cl-std=CL1.2 -cl-kernel-arg-info"

    /// The one text that is compiled; `#line` lets messages cite the files.
    var programText: String {
        var text = ""
        for define in defines { text += "#define \(define.name) \(define.value)\n" }
        for source in sources { text += "#line 1 \"\(source.fileName)\"\n\(source.text)\n" }
        return text
    }

    /// - Throws: `invalidArgument` for names and values that would change the meaning of other lines.
    func validate() throws(OpenCLError) {
        guard !sources.isEmpty else {
            throw OpenCLError.invalidArgument(name: "sources", expected: "at least one file", got: "none")
        }
        for source in sources where source.fileName.contains(where: { "\"\\".contains($0) || $0.isNewline }) {
            throw OpenCLError.invalidArgument(
                name: "fileName", expected: "no quotes, backslashes or line breaks", got: source.fileName)
        }
        for define in defines {
            guard define.name.wholeMatch(of: /[A-Za-z_][A-Za-z_0-9]*/) != nil else {
                throw OpenCLError.invalidArgument(name: "define", expected: "a C identifier", got: define.name)
            }
            guard !define.value.contains(where: \.isNewline), define.value.last != "\\" else {
                throw OpenCLError.invalidArgument(
                    name: "define \(define.name)", expected: "one line", got: define.value)
            }
        }
    }
}
