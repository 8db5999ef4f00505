# A Python project whose version is in its source.

. "$LIB"
begin
file pyproject.toml <<'END'
[project]
name = "widget"
dynamic = ["version"]

[tool.hatch.version]
path = "src/widget/__init__.py"
END
file src/widget/__init__.py <<'END'
"""A widget."""
__version__ = '1.2.3'
END
released v1.2.3
commit 'fix: close the file'
publish
