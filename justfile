# Lists the recipes.
default:
    @just --list --unsorted

# Build the binary.
build:
    cargo build --locked --package shipway

# Run everything that must be green before a commit.
test *arguments:
    ./test {{ arguments }}

# Run the tests of one crate, such as `just quick shipway-core journal`.
quick package *filter:
    cargo test --locked --package {{ package }} {{ filter }}

# Show a release, a kill, a resume and a rollback in a scratch directory.
demo:
    ./demo

# Format the code.
format:
    cargo fmt --all

# Check lints and tidiness.
lint:
    cargo clippy --locked --workspace --all-targets -- -D warnings
    cargo xtask tidy

# Write the generated pages.
docs:
    cargo xtask docs
