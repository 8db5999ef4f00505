# A pushed tag of a Go module is its publication.

. "$LIB"
begin
file go.mod <<'END'
module example.org/ann/widget

go 1.24
END
released v1.2.3
commit 'fix: close the file'
publish
