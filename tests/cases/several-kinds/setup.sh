# Several kinds of packages move together.

. "$LIB"
begin
file package.json <<'END'
{
  "name": "@ann/widget",
  "version": "1.2.3",
  "scripts": { "test": "node --test", "build": "node build.js" },
  "dependencies": { "left": "1.2.3" }
}
END
file Cargo.toml <<'END'
[package]
name = "widget"
version = "1.2.3"
edition = "2024"
END
echo 1.2.3 | file VERSION
released v1.2.3
commit 'fix: close the file'
publish
