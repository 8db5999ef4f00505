//! The command line of shipway; everything is in the library beside it.

fn main() -> std::process::ExitCode {
    shipway::main()
}
