# A Python project.

. "$LIB"
begin
file pyproject.toml <<'END'
[project]
name = "widget"
version = "1.2.3"
dependencies = ["left==1.2.3"]
END
released v1.2.3
commit 'fix: close the file'
publish
