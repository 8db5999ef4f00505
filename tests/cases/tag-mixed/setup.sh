# Tags of another kind are passed over.

. "$LIB"
begin
released v1.2.3
tag nightly
tag build-77
commit 'fix: close the file'
publish
