# A Cargo workspace with a shared version and its lock file.

. "$LIB"
begin
file Cargo.toml <<'END'
[workspace]
members = ["crates/*"]

[workspace.package]
version = "1.2.3" # of all crates

[workspace.dependencies]
widget-core = { path = "crates/core", version = "1.2.3" }
END
file crates/core/Cargo.toml <<'END'
[package]
name = "widget-core"
version.workspace = true
END
file crates/cli/Cargo.toml <<'END'
[package]
name = "widget"
version.workspace = true

[dependencies]
widget-core.workspace = true
END
file Cargo.lock <<'END'
version = 4

[[package]]
name = "left"
version = "1.2.3"
source = "registry+https://github.com/rust-lang/crates.io-index"

[[package]]
name = "widget"
version = "1.2.3"
dependencies = [
 "widget-core",
]

[[package]]
name = "widget-core"
version = "1.2.3"
END
released v1.2.3
commit 'feat!: another format'
publish
