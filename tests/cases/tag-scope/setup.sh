# Tags with a scoped name go on with it.

. "$LIB"
begin
released @ann/widget@1.2.3
commit 'fix: close the file'
publish
