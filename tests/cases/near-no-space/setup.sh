# `feat:x` is not a type, but almost.

. "$LIB"
begin
released v1.2.3
commit 'feat:a second format' 'fix: close the file'
publish
