import ArgumentParser

@main
struct SMDIMTool: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "smdim")
}
